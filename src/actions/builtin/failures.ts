import type { Failure } from '../../model/failure.js';

/** The work could not be done. */
export function actionFailure(message: string): Failure {
  return { kind: 'action', message };
}

/** What was asked cannot be done, now or in another attempt. */
export function inputFailure(message: string): Failure {
  return { kind: 'input', message };
}

/** The code of a system error, such as `ENOENT`; `undefined` for any other. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
