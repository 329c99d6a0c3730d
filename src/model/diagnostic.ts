/** A place in a source text. Lines and columns count from 1; columns count UTF-16 units; `end` is exclusive. */
export interface SourceRange {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** How much a diagnostic weighs: an `error` refuses the plan, a `warning` does not. */
export type Severity = 'error' | 'warning';

/** One mistake in a plan (or in a methodology file), with its place and the way out. */
export interface Diagnostic {
  /** Stable and listed in the README, such as `PLAN-CYCLE`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** The file as the user named it, so that an editor or a terminal can open it. */
  readonly file: string;
  /** Absent when the file as a whole is wrong (missing, empty, not UTF-8). */
  readonly range: SourceRange | undefined;
  /** What to do: 'did you mean …'. */
  readonly hint: string | undefined;
  /** Further places that belong to the mistake, such as each edge of a cycle. */
  readonly related: readonly RelatedPlace[];
}

/** A further place that belongs to a diagnostic. */
export interface RelatedPlace {
  readonly message: string;
  /** As the user would name it; another than the diagnostic's own where a plan is made of several files. */
  readonly file: string;
  readonly range: SourceRange;
}
