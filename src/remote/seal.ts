import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '../model/result.js';

/** The environment variable with the key that a coordinator and its workers share. */
export const KEY_VARIABLE = 'WAVEPLAN_KEY';
/** A shorter key could be guessed by whoever has seen one sealed text. */
const MIN_KEY_LENGTH = 16;

/** What a sealed text is: a seal of one kind is worth nothing on another. */
export type SealedKind = 'job' | 'post' | 'beat';

/**
 * Seals texts with a shared key (HMAC-SHA256), so that whoever can write to Redis and has no key can neither make nor change
 * what a coordinator and its workers say to each other. A seal hides nothing, and does not keep a text from being sent
 * twice: serial numbers do (`replays.ts`, `inbox.ts`).
 */
export class Sealer {
  readonly #key: Buffer;

  constructor(key: string) {
    this.#key = Buffer.from(hkdfSync('sha256', key, '', 'waveplan seal 1', 32));
  }

  /** The seal of parts in this order. Each counts with its length: the same bytes, cut elsewhere, have another seal. */
  seal(kind: SealedKind, parts: readonly (string | Uint8Array)[]): string {
    const mac = createHmac('sha256', this.#key).update(kind);
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      mac.update(`\n${bytes.byteLength}:`).update(bytes);
    }
    return mac.digest('base64url');
  }

  /** Whether the seal is that of these parts. Takes the same time wherever it differs. */
  holds(kind: SealedKind, parts: readonly (string | Uint8Array)[], seal: string): boolean {
    const own = Buffer.from(this.seal(kind, parts));
    const given = Buffer.from(seal);
    return own.length === given.length && timingSafeEqual(own, given);
  }
}

/** The sealer for the key in the environment. The error says what is wrong with it, and how to make one. */
export function sealerFrom(key: string | undefined): Result<Sealer, { readonly message: string; readonly hint: string }> {
  const hint = `set the same one for the coordinator and its workers: export ${KEY_VARIABLE}="$(openssl rand -hex 32)"`;
  if (key === undefined || key === '') return err({ message: `there is no key: ${KEY_VARIABLE} is not set`, hint });
  if (key.length < MIN_KEY_LENGTH)
    return err({ message: `the key in ${KEY_VARIABLE} is shorter than ${MIN_KEY_LENGTH} characters`, hint });
  return ok(new Sealer(key));
}
