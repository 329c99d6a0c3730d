/*
 * Types of what `schemas/compile-validators.mjs` makes in `dist/validators/` before `tsc` runs. Ambient, so that the
 * types are there even where the files are not yet.
 */
declare module '#validators/plan' {
  import type { ValidateFunction } from 'ajv';

  const validate: ValidateFunction;
  export default validate;
}

declare module '#validators/methodology' {
  import type { ValidateFunction } from 'ajv';

  const validate: ValidateFunction;
  export default validate;
}

declare module '#validators/checkpoint' {
  import type { ValidateFunction } from 'ajv';
  import type { Checkpoint } from '../model/checkpoint.js';

  const validate: ValidateFunction<Checkpoint>;
  export default validate;
}

declare module '#validators/methodology-data' {
  import type { JsonObject } from '../model/json.js';

  /** `schemas/methodology.yaml` as data. */
  const methodology: JsonObject;
  export default methodology;
}
