/*
 * The place of the first mistake in a text that the engine's parser refused. The engine knows it, and does not say it in every version.
 */

/** A mistake in JSON, at an offset in the text. */
export interface JsonMistake {
  readonly offset: number;
  readonly message: string;
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD_LIKE = /[\p{L}_$][\p{L}\p{N}_$]*/uy;

/** Finds the first mistake in a text that is not JSON. */
export function jsonMistake(text: string): JsonMistake {
  return new MistakeFinder(text).find() ?? { offset: 0, message: 'it cannot be parsed' };
}

class MistakeFinder {
  readonly #text: string;
  #at = 0;
  /** The brackets that are open, by the offsets where they stand. */
  readonly #open: number[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  find(): JsonMistake | undefined {
    let wanted: 'value' | 'value or ]' | 'key' | 'key or }' | 'end of value' = 'value';
    for (;;) {
      this.#match(SPACE);
      const found = this.#text[this.#at];
      switch (wanted) {
        case 'value':
        case 'value or ]': {
          if (found === ']' && wanted === 'value or ]') {
            this.#close();
            wanted = 'end of value';
            break;
          }
          if (found === '[' || found === '{') {
            this.#open.push(this.#at);
            this.#at += 1;
            wanted = found === '[' ? 'value or ]' : 'key or }';
            break;
          }
          const mistake = found === '"' ? this.#readText() : this.#readScalar();
          if (mistake !== undefined) return mistake;
          wanted = 'end of value';
          break;
        }
        case 'key':
        case 'key or }': {
          if (found === '}' && wanted === 'key or }') {
            this.#close();
            wanted = 'end of value';
            break;
          }
          if (found !== '"') return this.#expected('a key in double quotes');
          const mistake = this.#readText();
          if (mistake !== undefined) return mistake;
          this.#match(SPACE);
          if (this.#text[this.#at] !== ':') return this.#expected("':' after the key");
          this.#at += 1;
          wanted = 'value';
          break;
        }
        case 'end of value': {
          const begun = this.#open.at(-1);
          if (begun === undefined) return found === undefined ? undefined : this.#expected('the end: the value is complete');
          const list = this.#text[begun] === '[';
          if (found === ',') {
            this.#at += 1;
            wanted = list ? 'value' : 'key';
          } else if (found === (list ? ']' : '}')) {
            this.#close();
          } else return this.#expected(list ? "',' or ']'" : "',' or '}'");
        }
      }
    }
  }

  #close(): void {
    this.#open.pop();
    this.#at += 1;
  }

  /** Moves behind a match here, and returns its length. */
  #match(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return 0;
    const length = pattern.lastIndex - this.#at;
    this.#at = pattern.lastIndex;
    return length;
  }

  #readText(): JsonMistake | undefined {
    const begun = this.#at;
    this.#at += 1;
    while (this.#text[this.#at] !== '"') {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) return { offset: begun, message: 'the text that begins here has no closing quote' };
      if (code < 0x20) {
        return {
          offset: this.#at,
          message: `a text holds ${shown(code)}: write it as ${JSON.stringify(String.fromCharCode(code)).slice(1, -1)}`,
        };
      }
      if (code === 0x5c) {
        if (this.#match(ESCAPE) === 0) return { offset: this.#at, message: 'a backslash that begins no escape: write it twice' };
      } else this.#at += 1;
    }
    this.#at += 1;
    return undefined;
  }

  #readScalar(): JsonMistake | undefined {
    if (this.#match(WORD) > 0 || this.#match(NUMBER) > 0) return undefined;
    return this.#expected('a value');
  }

  #expected(what: string): JsonMistake {
    const offset = this.#at;
    const begun = this.#open.at(-1);
    const code = this.#text.codePointAt(offset);
    if (code === undefined) {
      const open = begun === undefined ? '' : `, and a ${this.#text[begun]} is not closed`;
      return { offset, message: `expected ${what}, found the end${open}` };
    }
    WORD_LIKE.lastIndex = offset;
    const word = WORD_LIKE.test(this.#text) ? this.#text.slice(offset, Math.min(WORD_LIKE.lastIndex, offset + 20)) : undefined;
    return { offset, message: `expected ${what}, found ${word === undefined ? shown(code) : `'${word}'`}` };
  }
}

function shown(code: number): string {
  if (code === 0x0a || code === 0x0d) return 'a line break';
  if (code === 0x09) return 'a tab';
  const printable = code > 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0);
  return printable ? `'${String.fromCodePoint(code)}'` : `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
