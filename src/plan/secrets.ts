import { createMask, type Mask, MIN_SECRET_LENGTH } from '../model/mask.js';
import { err, ok, type Result } from '../model/result.js';

/** Why a plan's secrets cannot be masked, and the way out. */
export interface SecretsProblem {
  readonly message: string;
  readonly hint: string;
}

/**
 * The mask for the values that a plan's secrets have in an environment. The plan is right and its surroundings are not
 * where one is not set, or too short to be masked: then much that is no secret would be taken out with it.
 */
export function maskOfSecrets(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Result<Mask, SecretsProblem> {
  const missing = names.filter((name) => (env[name] ?? '') === '');
  if (missing.length > 0) {
    const message = `${missing.length === 1 ? 'a secret is' : 'secrets are'} not set: ${missing.join(', ')}`;
    return err({
      message,
      hint: `set ${missing.length === 1 ? 'it' : 'them'} in the environment, as in: export ${missing[0]}=…`,
    });
  }
  const short = names.filter((name) => [...(env[name] ?? '')].length < MIN_SECRET_LENGTH);
  if (short.length > 0) {
    const message = `too short to be masked: the value of ${short.join(', ')}`;
    return err({
      message,
      hint: `a secret has at least ${MIN_SECRET_LENGTH} characters; masking less would hide much that is none`,
    });
  }
  return ok(createMask(names.flatMap((name) => env[name] ?? [])));
}
