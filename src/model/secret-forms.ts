/** One form in which a secret may appear. */
export interface SecretForm {
  /** A regular expression (with the flag `u`) that matches the whole form, also broken over lines. */
  readonly source: string;
  /** Where what is left of the form ends, if its beginning was cut off at offset `from` of a text; else `from`. */
  readonly restAt: (text: string, from: number) => number;
  /** Where the form begins of which the end of a text cut the rest off; else the text's length. */
  readonly beginningOf: (text: string) => number;
}

/** Fewer characters of a secret that was cut are no secret. */
const MIN_PART = 4;

/** A shorter line of a secret of several lines is not looked for by itself. */
const MIN_LINE = 8;

/** Between any two characters of a form there may be a line break: wrapped base64, folded output, two prints. */
const BREAK = '(?:\\r?\\n)?';

/** The most characters that stand for one of a secret, as `%E2%9C%93` does. */
const LONGEST_ATOM = 14;

/**
 * The forms of a secret's value: written, each of its characters as it is, percent-encoded or escaped as in JSON; every
 * longer line of it, written; and in base64 (either alphabet), by which of three bytes it begins at.
 */
export function secretForms(value: string): readonly SecretForm[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= MIN_LINE && line !== value);
  return [...[value, ...lines].map(writtenAtoms), ...base64Fragments(value).map(base64Atoms)].map(formOf);
}

function formOf(atoms: readonly string[]): SecretForm {
  const matchers = atoms.map((atom) => new RegExp(`${atom}${BREAK}`, 'uy'));
  /** The offset behind as many atoms, from the one at `first`, as match at `at`; and how many these are. */
  const follow = (text: string, at: number, first: number): { readonly end: number; readonly count: number } => {
    let end = at;
    let count = 0;
    for (let i = first; i < matchers.length; i++) {
      const matcher = matchers[i];
      if (matcher === undefined) break;
      matcher.lastIndex = end;
      if (!matcher.test(text)) break;
      end = matcher.lastIndex;
      count += 1;
    }
    return { end, count };
  };
  return {
    source: atoms.join(BREAK),
    restAt: (text, from) => {
      for (let first = 1; first <= atoms.length - MIN_PART; first++) {
        const { end, count } = follow(text, from, first);
        if (first + count === atoms.length) return end;
      }
      return from;
    },
    beginningOf: (text) => {
      for (let at = Math.max(0, text.length - LONGEST_ATOM * atoms.length); at <= text.length - MIN_PART; at++) {
        const { end, count } = follow(text, at, 0);
        if (end === text.length && count >= MIN_PART) return at;
      }
      return text.length;
    },
  };
}

/** For each character of a text, what may stand for it. */
function writtenAtoms(value: string): readonly string[] {
  return [...value.replaceAll('\r\n', '\n')].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    const percent = [...Buffer.from(character)].map((byte) => `%${anyCase(hex(byte, 2))}`).join('');
    const ways = [literal(character), percent];
    if (character === ' ') ways.push(literal('+'));
    if (character === '\n') ways.push('\\r\\n', `(?:%0[dD])?%0[aA]`);
    const json = JSON.stringify(character).slice(1, -1);
    if (json !== character) ways.push([...json].map(literal).join(''));
    if (character === '/') ways.push(`${literal('\\')}${literal('/')}`);
    if (code < 0x20 || code > 0x7e) ways.push([...character].flatMap(utf16Units).map(unicodeEscape).join(''));
    return `(?:${ways.join('|')})`;
  });
}

/** The characters of a value's base64 that depend on nothing but the value, by the byte of a group it begins at. */
function base64Fragments(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const fragment = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return fragment.length < MIN_PART ? [] : [fragment];
  });
}

function base64Atoms(fragment: string): readonly string[] {
  return [...fragment].map((character) => {
    if (character === '+') return `(?:[+\\x2d]|%2[bB])`;
    if (character === '/') return `(?:[\\x2f_]|%2[fF])`;
    return character;
  });
}

function literal(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return /^[A-Za-z0-9]$/.test(character) ? character : `\\u{${code.toString(16)}}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function anyCase(digits: string): string {
  return digits.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function utf16Units(character: string): readonly number[] {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
}

function unicodeEscape(unit: number): string {
  return `\\x5cu${anyCase(hex(unit, 4))}`;
}
