import type { Failure } from '../model/failure.js';
import { inertFirstLine } from './inert.js';
import type { FailureGroup } from './run-summary.js';

/** Failures counted by cause, in bounded memory: the first causes in full, the rest as a number. */
export class FailureGroups {
  readonly #groups = new Map<string, { readonly first: Failure; count: number; readonly subtasks: string[] }>();
  #others = 0;

  add(subtask: string, failure: Failure): void {
    const cause = causeOf(failure);
    const group = this.#groups.get(cause);
    if (group !== undefined) {
      group.count += 1;
      if (group.subtasks.length < MOST_NAMES) group.subtasks.push(subtask);
    } else if (this.#groups.size < MOST_CAUSES) {
      this.#groups.set(cause, {
        first: { kind: failure.kind, message: failure.message.slice(0, 4096) },
        count: 1,
        subtasks: [subtask],
      });
    } else {
      this.#others += 1;
    }
  }

  /** Most frequent first; equal counts in order of appearance. */
  groups(): readonly FailureGroup[] {
    return [...this.#groups.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ first, count, subtasks }) => ({
        kind: first.kind,
        message: inertFirstLine(first.message, 300),
        count,
        subtasks: [...subtasks],
      }));
  }

  /** Failures whose cause was one too many to list. */
  get others(): number {
    return this.#others;
  }
}

/** Kind and first line, with every number as `N`: `exit code 1 on file 17` and `… 18` have one cause. */
function causeOf(failure: Failure): string {
  return `${failure.kind} ${inertFirstLine(failure.message, 200).replace(/\d+/g, 'N')}`;
}

const MOST_CAUSES = 30;
const MOST_NAMES = 5;
