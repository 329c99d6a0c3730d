/** How many lines leave the middle of a box character: none, one, or two. */
interface Arms {
  readonly up: 0 | 1 | 2;
  readonly right: 0 | 1 | 2;
  readonly down: 0 | 1 | 2;
  readonly left: 0 | 1 | 2;
}

const arms = (up: Arms['up'], right: Arms['right'], down: Arms['down'], left: Arms['left']): Arms => ({ up, right, down, left });

/** The box characters that the views use. */
const BOX: Readonly<Record<string, Arms>> = {
  '═': arms(0, 2, 0, 2),
  '║': arms(2, 0, 2, 0),
  '╔': arms(0, 2, 2, 0),
  '╗': arms(0, 0, 2, 2),
  '╚': arms(2, 2, 0, 0),
  '╝': arms(2, 0, 0, 2),
  '╠': arms(2, 2, 2, 0),
  '╣': arms(2, 0, 2, 2),
  '─': arms(0, 1, 0, 1),
  '│': arms(1, 0, 1, 0),
  '┌': arms(0, 1, 1, 0),
  '┐': arms(0, 0, 1, 1),
  '└': arms(1, 1, 0, 0),
  '┘': arms(1, 0, 0, 1),
  '├': arms(1, 1, 1, 0),
  '┤': arms(1, 0, 1, 1),
  '┬': arms(0, 1, 1, 1),
  '┴': arms(1, 1, 0, 1),
  '┼': arms(1, 1, 1, 1),
};

export function isBoxCharacter(text: string): boolean {
  return text in BOX;
}

/** Half the distance of two lines. */
const GAP = 1.5;

/**
 * A box character as lines of an SVG path, in a cell with its corner at `x`, `y`. Drawn, because in a page glyphs of two rows do
 * not meet: lines of text are further apart than a font's box characters are high.
 */
export function boxLines(text: string, x: number, y: number, width: number, height: number): string {
  const glyph = BOX[text];
  if (glyph === undefined) return '';
  const { up, right, down, left } = glyph;
  const [middle, centre] = [x + width / 2, y + height / 2];
  const across = (from: number, to: number, at: number) => `M${round(from)} ${round(at)}H${round(to)}`;
  const along = (from: number, to: number, at: number) => `M${round(at)} ${round(from)}V${round(to)}`;
  // Of two lines, each ends where it meets the arm on its own side, and goes on to the outer corner where there is none.
  const inner = (arm: number) => (arm === 0 ? -GAP : GAP);
  const lines: string[] = [];
  if (right === 1) lines.push(across(middle, x + width, centre));
  if (left === 1) lines.push(across(x, middle, centre));
  if (up === 1) lines.push(along(y, centre, middle));
  if (down === 1) lines.push(along(centre, y + height, middle));
  if (right === 2)
    lines.push(across(middle + inner(up), x + width, centre - GAP), across(middle + inner(down), x + width, centre + GAP));
  if (left === 2) lines.push(across(x, middle - inner(up), centre - GAP), across(x, middle - inner(down), centre + GAP));
  if (down === 2)
    lines.push(along(centre + inner(left), y + height, middle - GAP), along(centre + inner(right), y + height, middle + GAP));
  if (up === 2) lines.push(along(y, centre - inner(left), middle - GAP), along(y, centre - inner(right), middle + GAP));
  return lines.join('');
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
