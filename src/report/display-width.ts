/**
 * How many columns a text takes in a terminal, after Unicode's East Asian Width and the emoji
 * presentation property. For plain text only: colours are added after measuring.
 */

/** Wide (W) and full-width (F) blocks; emoji come from their own property. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];
const ZERO = /^(?:\p{Mn}|\p{Me}|\p{Cf}|[\u1160-\u11ff])$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
const FLAG_HALF = /^\p{Regional_Indicator}$/u;

/** Columns of `text`, which holds no control characters. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/**
 * `text` without what terminals disagree about: variation selectors (`⚠` is one column, `⚠` with a selector
 * one or two), joiners and skin tones of emoji sequences (two columns or the sum of the parts).
 */
export function steadyText(text: string): string {
  return text
    .replace(/[\ufe0e\ufe0f]/g, '')
    .replace(/(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier})[\u200d\u{1f3fb}-\u{1f3ff}]+/gu, '');
}

/** `text` cut to `width` columns, with `…` where it was cut. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  let used = 0;
  for (const character of unbroken(text)) {
    const columns = displayWidth(character);
    if (used + columns > width - 1) break;
    cut += character;
    used += columns;
  }
  return `${cut}…`;
}

/**
 * `text` in lines of at most `width` columns, broken between words where it can be; lines after the first
 * begin with `hanging`. Spaces at the start are kept. A word that no line holds is broken where it stands, so that no
 * line holds nothing but a bullet. An empty text is one empty line.
 */
export function wrapText(text: string, width: number, hanging: string): readonly string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = indent;
  let used = indent.length;
  let atStart = true;
  const fresh = width - displayWidth(hanging);
  const breakLine = () => {
    lines.push(line.trimEnd());
    line = hanging;
    used = displayWidth(hanging);
    atStart = true;
  };
  for (const word of text.slice(indent.length).split(/ +/)) {
    const columns = displayWidth(word);
    if (!atStart && used + 1 + columns > width && (columns <= fresh || used + 1 >= width)) breakLine();
    if (!atStart) {
      line += ' ';
      used += 1;
    }
    atStart = false;
    for (const character of used + columns <= width ? [word] : unbroken(word)) {
      const step = displayWidth(character);
      if (used + step > width) {
        breakLine();
        atStart = false;
      }
      line += character;
      used += step;
    }
  }
  lines.push(line.trimEnd());
  return lines;
}

/** Characters, but for the two halves of a flag: one by itself is drawn in another width. */
function unbroken(text: string): readonly string[] {
  return text.match(/\p{Regional_Indicator}{2}|[\s\S]/gu) ?? [];
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (ZERO.test(character)) return 0;
  if (FLAG_HALF.test(character)) return 1;
  if (EMOJI.test(character)) return 2;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
