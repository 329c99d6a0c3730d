import type { Diagnostic, Severity, SourceRange } from '../model/diagnostic.js';
import type { ProblemCode } from './codes.js';
import type { Span } from './source-node.js';

/** A mistake by offsets into the source, before it becomes a `Diagnostic`. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** Absent where the file as a whole is wrong. */
  readonly span: Span | undefined;
  readonly hint?: string | undefined;
  readonly related?: readonly { readonly message: string; readonly span: Span }[];
  readonly severity?: Severity;
}

/** Takes one mistake; checks report through this and go on. */
export type Report = (problem: Problem) => void;

/** Offsets of a text as lines and columns. */
export class LineIndex {
  readonly #starts: number[] = [0];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  /** The range of a span, cut to the text. */
  range(span: Span): SourceRange {
    const start = this.#position(span.start);
    const end = this.#position(Math.max(span.start, span.end));
    return { line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
  }

  #position(offset: number): { readonly line: number; readonly column: number } {
    const inside = Math.min(Math.max(offset, 0), this.#length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= inside) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: inside - (this.#starts[low] ?? 0) + 1 };
  }
}

/** Where diagnostics come from: the file's name for the user, its text, and the prefix of their codes. */
export interface DiagnosticSource {
  readonly displayName: string;
  readonly text: string;
  readonly prefix: 'PLAN' | 'METHODOLOGY';
}

/** Problems as diagnostics: sorted by place (the file as a whole first), each once. */
export function toDiagnostics(problems: readonly Problem[], source: DiagnosticSource): readonly Diagnostic[] {
  const lines = new LineIndex(source.text);
  const sorted = [...problems].sort((a, b) => (a.span?.start ?? -1) - (b.span?.start ?? -1));
  const seen = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const problem of sorted) {
    const identity = `${problem.code} ${problem.span?.start} ${problem.span?.end} ${problem.message}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    diagnostics.push({
      code: `${source.prefix}-${problem.code}`,
      severity: problem.severity ?? 'error',
      message: problem.message,
      file: source.displayName,
      range: problem.span === undefined ? undefined : lines.range(problem.span),
      hint: problem.hint,
      related: (problem.related ?? []).map(({ message, span }) => ({ message, range: lines.range(span) })),
    });
  }
  return diagnostics;
}

/** Mistakes that show in one place, whatever follows. */
const LOCAL_CODES: ReadonlySet<ProblemCode> = new Set([
  'UNKNOWN-KEY',
  'TYPE',
  'VALUE',
  'NAME',
  'SHELL-TEMPLATE',
  'REQUEST',
  'UNSUPPORTED',
]);

const YAML_CODES: ReadonlySet<ProblemCode> = new Set(['YAML', 'DEPTH', 'ALIAS', 'DUPLICATE-KEY', 'EMPTY']);

/**
 * The problems to tell when syntax is damaged from an offset on. Behind it the structure is a guess, and what depends
 * on it (a missing key, an unknown task) is noise. Kept are the document's own mistakes, and local ones before the damage.
 */
export function withoutFollowUps(problems: readonly Problem[], damagedAt: number | undefined): readonly Problem[] {
  if (damagedAt === undefined) return problems;
  return problems.filter(({ code, span }) => {
    if (YAML_CODES.has(code)) return true;
    // An empty value may be one that the damage took away.
    return LOCAL_CODES.has(code) && span !== undefined && span.end < damagedAt && span.end > span.start;
  });
}
