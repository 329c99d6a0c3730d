import type { Diagnostic, Severity } from '../model/diagnostic.js';
import type { ProblemCode } from './codes.js';
import type { Span } from './source-node.js';
import type { SourceTexts } from './source-texts.js';

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

/** Problems as diagnostics: sorted by place (the plan as a whole first, then file by file), each once. */
export function toDiagnostics(
  problems: readonly Problem[],
  sources: SourceTexts,
  prefix: 'PLAN' | 'METHODOLOGY',
): readonly Diagnostic[] {
  const sorted = [...problems].sort((a, b) => (a.span?.start ?? -1) - (b.span?.start ?? -1));
  const seen = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const problem of sorted) {
    const identity = `${problem.code} ${problem.span?.start} ${problem.span?.end} ${problem.message}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    const place = problem.span === undefined ? undefined : sources.place(problem.span);
    diagnostics.push({
      code: `${prefix}-${problem.code}`,
      severity: problem.severity ?? 'error',
      message: problem.message,
      file: place?.file ?? sources.main.displayName,
      range: place?.range,
      hint: problem.hint,
      related: (problem.related ?? []).map(({ message, span }) => ({ message, ...sources.place(span) })),
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
  'INCLUDE',
]);

const YAML_CODES: ReadonlySet<ProblemCode> = new Set(['YAML', 'DEPTH', 'ALIAS', 'DUPLICATE-KEY', 'EMPTY']);

/** Where a file is damaged: the offset of its first syntax error, and of the end of the file. */
export type Damage = Span;

/**
 * The problems to tell when syntax is damaged from an offset on. Behind it the structure is a guess, and what depends
 * on it (a missing key, an unknown task, also in another file) is noise. Kept are the documents' own mistakes, and local
 * ones that do not stand behind the damage of their file.
 */
export function withoutFollowUps(problems: readonly Problem[], damages: readonly Damage[]): readonly Problem[] {
  if (damages.length === 0) return problems;
  return problems.filter(({ code, span }) => {
    if (YAML_CODES.has(code)) return true;
    if (!LOCAL_CODES.has(code) || span === undefined) return false;
    // An empty value may be one that the damage took away.
    return span.end > span.start && !damages.some(({ start, end }) => span.end >= start && span.start < end);
  });
}

/** What can be wrong only for want of what a missing file would have brought. */
const FOR_WANT_OF_A_FILE: ReadonlySet<ProblemCode> = new Set([
  'NEEDS',
  'READS',
  'EXPRESSION',
  'PARAM',
  'TEMPLATE',
  'MISSING-KEY',
]);

/** The problems to tell of a plan that lacks a file which it includes. */
export function withoutWants(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ code }) => !FOR_WANT_OF_A_FILE.has(code));
}
