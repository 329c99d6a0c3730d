import { stripVTControlCharacters } from 'node:util';

/**
 * Text from plans and tasks is data: in a terminal, in Markdown and in JSON it must not move a cursor,
 * set a clipboard, reorder a line or open a tag. Everything that such text passes through is here.
 */

/** C0, DEL, C1, line and paragraph separators, and the marks that reorder a line (bidirectional controls). */
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** One line, safe for a terminal: escape sequences gone, white space folded, other controls shown as `\x07`. */
export function inertLine(text: string): string {
  return visible(stripVTControlCharacters(text).replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')).trim();
}

/** The first line of `text` that says anything, inert and at most `most` characters. */
export function inertFirstLine(text: string, most: number): string {
  const start = stripVTControlCharacters(text.slice(0, 4096));
  const line = start.split(/[\n\r\u2028\u2029]/).find((candidate) => candidate.trim() !== '') ?? '';
  return shorten(inertLine(line), most);
}

/** `text` cut to `most` characters, with a sign that it was; never in the middle of a surrogate pair. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** JSON that is inert in a terminal too: the same value, with C1, DEL and separators escaped. */
export function inertJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lines as they stand, each safe for a terminal: escape sequences gone, tabs as two spaces, other controls shown as `\\x07`. */
export function inertBlock(text: string): string {
  return stripVTControlCharacters(text)
    .split(/\r\n|[\n\r\u0085\u2028\u2029]/)
    .map((each) => visible(each.replace(/[\t\v\f]/g, '  ')).trimEnd())
    .join('\n');
}

/** Text for HTML and XML, in content and in quoted attributes: no tag, no entity and no section ends or begins in it. */
export function inertMarkup(text: string): string {
  const byCharacter: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  // U+FFFE and U+FFFF are the two characters beyond controls that XML does not take.
  return inertBlock(text)
    .replace(/[\ufffe\uffff]/g, escaped)
    .replace(/[&<>"']/g, (character) => byCharacter[character] ?? '');
}

/** One line of Markdown text: no markup, no HTML, no table cell ends in it. */
export function inertMarkdown(text: string): string {
  return inertLine(text)
    .replace(/[\\`*_[\]|~$!]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/^([#+\-=]|\d+(?=[.)]))/, (mark) => (/\d/.test(mark) ? `${mark}\\` : `\\${mark}`));
}

function visible(text: string): string {
  return text.replace(ACTIVE, escaped).replace(LONE_SURROGATE, escaped);
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
