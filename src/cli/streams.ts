import { displayWidth, wrapText } from '../report/display-width.js';
import { inertJson } from '../report/inert.js';

/** Whether to colour what goes to a stream: not without a terminal, nor under `NO_COLOR` (https://no-color.org). */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  if (process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== '') return false;
  return stream.isTTY === true && process.env['TERM'] !== 'dumb';
}

/** Whether a service runs this and nobody watches: `CI` is set by all of them. */
export function isInCI(): boolean {
  const { CI } = process.env;
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}

/** The width for panels: the terminal's, between what fits a panel and what reads well. */
export function panelWidth(stream: NodeJS.WriteStream): number {
  // A pseudo-terminal that was given no size has 0 columns.
  return Math.max(40, Math.min(100, stream.columns || 80));
}

/** How diagnostics are printed there: in whole lines where it is no terminal, for those who search them. */
export function diagnosticFormat(stream: NodeJS.WriteStream): { readonly color: boolean; readonly width?: number } {
  const color = wantsColor(stream);
  return stream.isTTY === true ? { color, width: Math.max(40, stream.columns || 80) } : { color };
}

/** Why output could not be written, by stream; a reader that went away (`waveplan … | head`) is no reason. */
const outputProblems = new Map<string, string>();

/** Keeps an error of a standard stream from ending the command: the work goes on, and the exit code tells. */
export function surviveOutputErrors(name: string, stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || outputProblems.has(name)) return;
    outputProblems.set(name, error.message);
    if (name !== 'standard error') printError(`waveplan: cannot write to ${name}: ${error.message}`);
  });
}

/** Whether something that was printed did not arrive. */
export function hasLostOutput(): boolean {
  return outputProblems.size > 0;
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a value for programs, in one line that is inert in a terminal too. */
export function printJson(value: unknown): void {
  printLine(inertJson(value));
}

/** Prints what is for people; in a terminal, lines that are longer than it is wide are broken between words. */
export function printError(text: string): void {
  const { isTTY, columns } = process.stderr;
  process.stderr.write(`${isTTY === true ? foldText(text, Math.max(40, columns || 80)) : text}\n`);
}

/** Plain text with its lines broken between words, and continued under a hanging indent, where they are wider than `width`. */
export function foldText(text: string, width: number): string {
  const lines = text.split('\n').flatMap((each) => {
    // What is coloured was brought to its width already.
    if (each.includes('\u001b') || displayWidth(each) <= width) return [each];
    return wrapText(each, width, `${/^ */.exec(each)?.[0] ?? ''}  `);
  });
  return lines.join('\n');
}

/** Prints what keeps a verb from its work, and the way out. */
export function printProblem(problem: { readonly message: string; readonly hint: string }): void {
  printError(`waveplan: ${problem.message}\n  ${problem.hint}`);
}
