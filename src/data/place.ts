/** A mistake in data from outside: what is wrong and where. */
export interface DataProblem {
  /** From 1; CR, LF and CRLF each end a line. */
  readonly line: number;
  /** In characters, from 1; absent where the problem is the whole record's. */
  readonly column?: number | undefined;
  readonly message: string;
  /** Where bytes are not in the expected encoding: one that they may be in. */
  readonly otherEncoding?: string;
}

/** A problem with its place in front: `users.csv:3:7: …`. */
export function atPlace(name: string, { line, column, message }: DataProblem): string {
  return `${name}:${line}${column === undefined ? '' : `:${column}`}: ${message}`;
}

/** The same for data that is not a file: `standard output, line 3, column 7: …`. */
export function inWords(name: string, { line, column, message }: DataProblem): string {
  return `${name}, line ${line}${column === undefined ? '' : `, column ${column}`}: ${message}`;
}

/** The line and the column of an offset in a text. */
export function placeIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (const { 0: lineEnd, index } of text.slice(0, offset).matchAll(/\r\n|\r|\n/g)) {
    line += 1;
    lineStart = index + lineEnd.length;
  }
  return { line, column: offset - lineStart + 1 };
}

/** The place in a whole of a problem in a part that begins at `line` and `column`. */
export function moved(problem: DataProblem, line: number, column: number): DataProblem {
  const first = problem.line === 1 && problem.column !== undefined;
  return { ...problem, line: problem.line + line - 1, column: first ? (problem.column ?? 1) + column - 1 : problem.column };
}
