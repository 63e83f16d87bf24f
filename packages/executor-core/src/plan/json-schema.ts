import * as z from 'zod';
import { planFileSchema } from './plan-schema';

/**
 * The JSON Schema (draft-07, which is what editors read) of the plan file, for completion and squiggles
 * while typing. It knows shapes, not references: `parallel-cli plan` finds the rest.
 */
export function planJsonSchema(): object {
  return z.toJSONSchema(planFileSchema, { target: 'draft-07', io: 'input' });
}
