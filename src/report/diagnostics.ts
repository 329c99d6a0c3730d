import pc from 'picocolors';
import type { Diagnostic, SourceRange } from '../model/diagnostic.js';
import { displayWidth, wrapText } from './display-width.js';
import { inertLine } from './inert.js';

/** How diagnostics are printed. */
export interface DiagnosticFormat {
  readonly color: boolean;
  /** Columns of the terminal, for messages to be broken between words; absent: a message is one line. */
  readonly width?: number;
}

/** Longer source lines are cut to this many characters around the place that is meant. */
const SHOWN_CHARACTERS = 100;

const INDENT = '  ';

/**
 * Diagnostics as text for a terminal; `textOf` gives the text of a file that they name: `file:line:column CODE message` (with
 * 'warning:' before the message of one), the source line with a caret under the place, a
 * hint, and each related place with its own line; a blank line between diagnostics. Control characters of the source
 * and of messages come out inert.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  textOf: (file: string) => string,
  { color, width }: DiagnosticFormat,
): string {
  const colors = pc.createColors(color);
  const linesByFile = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    // A byte order mark is no part of the text that ranges count in.
    const lines =
      linesByFile.get(file) ??
      textOf(file)
        .replace(/^\ufeff/, '')
        .split('\n');
    linesByFile.set(file, lines);
    return lines;
  };
  const paintCode = (diagnostic: Diagnostic): string =>
    diagnostic.severity === 'error' ? colors.red(colors.bold(diagnostic.code)) : colors.yellow(diagnostic.code);

  const formatted = diagnostics.map((diagnostic) => {
    const place = placeName(diagnostic.file, diagnostic.range);
    const weight = diagnostic.severity === 'warning' ? 'warning: ' : '';
    const head = wrapped(`${place} ${diagnostic.code} ${weight}${inertLine(diagnostic.message)}`, INDENT, width);
    // Painted once it is broken into lines: colours have no width.
    const plain = `${place} ${diagnostic.code}`;
    const painted = `${colors.bold(place)} ${paintCode(diagnostic)}`;
    const text = [head.startsWith(plain) ? painted + head.slice(plain.length) : head];
    text.push(...excerpt(() => linesOf(diagnostic.file), diagnostic.range, { indent: INDENT, paint: colors.red }));
    if (diagnostic.hint !== undefined) {
      const hint = wrapped(`${INDENT}hint: ${inertLine(diagnostic.hint)}`, INDENT + INDENT, width);
      text.push(hint.replace('hint:', colors.cyan('hint:')));
    }
    for (const { message, file, range } of diagnostic.related) {
      text.push(wrapped(`${INDENT}${placeName(file, range)} ${inertLine(message)}`, INDENT + INDENT, width));
      text.push(...excerpt(() => linesOf(file), range, { indent: INDENT + INDENT, paint: colors.dim }));
    }
    return text.join('\n');
  });
  return formatted.join('\n\n');
}

function wrapped(text: string, hanging: string, width: number | undefined): string {
  return width === undefined ? text : wrapText(text, width, hanging).join('\n');
}

function placeName(file: string, range: SourceRange | undefined): string {
  const name = inertLine(file);
  return range === undefined ? name : `${name}:${range.line}:${range.column}`;
}

interface ExcerptStyle {
  readonly indent: string;
  readonly paint: (text: string) => string;
}

/** The source line of a range, and carets under the part of the range that is on it. */
function excerpt(
  lines: () => readonly string[],
  range: SourceRange | undefined,
  { indent, paint }: ExcerptStyle,
): readonly string[] {
  const line = range === undefined ? undefined : lines()[range.line - 1]?.replace(/\r$/, '');
  if (range === undefined || line === undefined) return [];
  const start = Math.min(range.column - 1, line.length);
  const end = range.endLine > range.line ? line.length : Math.min(Math.max(range.endColumn - 1, start), line.length);
  const from =
    start > (SHOWN_CHARACTERS * 2) / 3 && line.length > SHOWN_CHARACTERS ? wholeCharacter(line, start - SHOWN_CHARACTERS / 2) : 0;
  const to = line.length - from > SHOWN_CHARACTERS ? wholeCharacter(line, from + SHOWN_CHARACTERS) : line.length;
  const lead = from > 0 ? '…' : '';
  const before = lead + inertSource(line.slice(from, start));
  const marked = inertSource(line.slice(start, Math.min(end, to)));
  const after = inertSource(line.slice(Math.min(end, to), to)) + (to < line.length ? '…' : '');
  const carets = `^${'~'.repeat(Math.max(0, displayWidth(marked.replaceAll('\t', ' ')) - 1))}`;
  return [`${indent}${before}${marked}${after}`, `${indent}${blankAs(before)}${paint(carets)}`];
}

/** An offset moved back from the middle of a surrogate pair. */
function wholeCharacter(line: string, offset: number): number {
  const code = line.charCodeAt(offset);
  return code >= 0xdc00 && code <= 0xdfff ? offset - 1 : offset;
}

/** White space as wide as a text; tabs stay tabs, so that a terminal moves both lines alike. */
function blankAs(text: string): string {
  return text
    .split('\t')
    .map((part) => ' '.repeat(displayWidth(part)))
    .join('\t');
}

/** Source text in which nothing acts: one visible sign for each control, and for each mark that reorders the line. */
function inertSource(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000a-\u001f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(/\u007f/g, '\u2421')
    .replace(/[\u0080-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** A diagnostic as `--json` prints it; places as the plan's editor counts them. */
export interface DiagnosticJson {
  readonly code: string;
  readonly severity: Diagnostic['severity'];
  readonly message: string;
  readonly file: string;
  readonly range: SourceRange | null;
  readonly hint: string | null;
  readonly related: readonly { readonly message: string; readonly file: string; readonly range: SourceRange }[];
}

/** Diagnostics as plain data with every key present, for `--json`. */
export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): readonly DiagnosticJson[] {
  return diagnostics.map(({ code, severity, message, file, range, hint, related }) => ({
    code,
    severity,
    message,
    file,
    range: range ?? null,
    hint: hint ?? null,
    related: related.map((place) => ({ message: place.message, file: place.file, range: place.range })),
  }));
}
