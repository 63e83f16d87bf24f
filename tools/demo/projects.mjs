import { BASICS } from './shop/basics.mjs';
import { FEATURES } from './shop/features.mjs';
import { PRODUCTS } from './shop/products.mjs';

/**
 * The demo workspace's libraries: a small shop. `functions` are real code with JSDoc types, `uses` maps the
 * folder of another library to what is imported from it, `examples` (expression, value) become the tests.
 */
export const PROJECTS = [...BASICS, ...FEATURES, ...PRODUCTS];
