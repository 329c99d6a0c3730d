import { err, ok, type Result } from '../model/result.js';
import type { DataProblem } from './place.js';
import { decodeUtf8 } from './text.js';

/*
 * Text in another encoding than UTF-8, named as on the web (https://encoding.spec.whatwg.org): latin1 and ascii are names for
 * windows-1252, whose other characters Latin-1 does not use.
 */

/** An encoding by the name that the engine has for it, such as `windows-1252` for `latin1`; undefined where it has none. */
export function encodingOf(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

/** Decodes a whole text whose encoding was declared. The encoding must be one of `encodingOf`. */
export function decodeAs(bytes: Buffer, encoding: string): Result<string, DataProblem> {
  if (encoding === 'utf-8') return decodeUtf8(bytes);
  const decoder = new PieceDecoder(encoding);
  const text = decoder.decode(bytes, true);
  return decoder.problem === undefined ? ok(text) : err(decoder.problem);
}

/** Decodes a text piece by piece. A byte order mark is dropped. */
export class PieceDecoder {
  readonly #encoding: string;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  #lines = 1;
  #problem: DataProblem | undefined;

  constructor(encoding: string) {
    this.#encoding = encoding;
    this.#decoder = new TextDecoder(encoding, { fatal: true });
  }

  /** Defined once a piece was not in the encoding. */
  get problem(): DataProblem | undefined {
    return this.#problem;
  }

  /** The text of a piece, up to a problem. */
  decode(bytes: Buffer, last: boolean): string {
    // Some versions of Node read windows-1252 as Latin-1.
    if (this.#encoding === 'windows-1252') return bytes.toString('latin1').replace(/[\x80-\x9f]/g, windowsCharacter);
    // Small steps, so that the line of a problem is about right.
    let text = '';
    for (let at = 0; at < bytes.length || last; at += STEP) {
      const part = this.#step(bytes.subarray(at, at + STEP), at >= bytes.length);
      if (part === undefined) {
        this.#problem = { line: this.#lines, message: `not ${this.#encoding} text, on this line or a later one` };
        return text;
      }
      text += part;
      if (at >= bytes.length) break;
      for (let i = part.indexOf('\n'); i !== -1; i = part.indexOf('\n', i + 1)) this.#lines += 1;
    }
    return text;
  }

  #step(bytes: Buffer, last: boolean): string | undefined {
    try {
      return this.#decoder.decode(bytes, { stream: !last });
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }
}

const STEP = 4096;

/** The bytes from 0x80 to 0x9F in windows-1252; where it has nothing, the control character stays, as on the web. */
const WINDOWS = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function windowsCharacter(character: string): string {
  return WINDOWS[character.charCodeAt(0) - 0x80] ?? character;
}
