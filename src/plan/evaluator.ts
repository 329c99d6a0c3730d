// What evaluates expressions, as one module that threads load when the first task comes that has any.
export { evaluate, templateOf } from './expressions.js';
export { inlineValues } from './inline-values.js';
