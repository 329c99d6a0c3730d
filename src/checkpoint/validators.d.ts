/* See src/plan/validators.d.ts; here, because of the direction of imports. */
declare module '#validators/calibration' {
  import type { ValidateFunction } from 'ajv';
  import type { Calibration } from '../scaling/calibration.js';

  const validate: ValidateFunction<{ readonly version: 1; readonly calibrations: readonly Calibration[] }>;
  export default validate;
}
