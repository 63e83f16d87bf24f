export * from './model/ids';
