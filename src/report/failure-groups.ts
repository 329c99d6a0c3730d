import { causeOf, withoutNumbers } from '../model/cause.js';
import type { Failure, FailureKind } from '../model/failure.js';
import { isJsonObject, type JsonValue } from '../model/json.js';
import { inertFirstLine, shorten } from './inert.js';
import type { FailureGroup, FailureLog } from './run-summary.js';

/** Failures counted by cause, but for numbers in messages, in bounded memory: the first causes in full, the rest as a number. */
export class FailureGroups {
  readonly #groups = new Map<string, Group>();
  #others = 0;

  /** `results`: what the subtask gave back; what a command printed is in it. */
  add(subtask: string, failure: Failure, results: JsonValue = null): void {
    const message = inertFirstLine(failure.message, MOST_MESSAGE);
    const alike = shorten(withoutNumbers(inertFirstLine(failure.message, 4096)), MOST_MESSAGE);
    const cause = causeOf({ ...failure, message: alike });
    const group = this.#groups.get(cause);
    if (group !== undefined) {
      if (message !== group.message) group.message = alike;
      group.count += 1;
      if (group.subtasks.length < MOST_NAMES) group.subtasks.push(subtask);
      if (group.outputs.length < MOST_OUTPUTS) group.outputs.push(...outputOf(subtask, results));
    } else if (this.#groups.size < MOST_CAUSES) {
      this.#groups.set(cause, {
        kind: failure.kind,
        message,
        count: 1,
        subtasks: [subtask],
        outputs: outputOf(subtask, results),
      });
    } else {
      this.#others += 1;
    }
  }

  /** Most frequent first; equal counts in order of appearance. */
  groups(): readonly FailureGroup[] {
    return [...this.#groups.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ kind, message, count, subtasks, outputs }) => ({
        kind,
        message,
        count,
        subtasks: [...subtasks],
        outputs: [...outputs],
      }));
  }

  /** Failures whose cause was one too many to list. */
  get others(): number {
    return this.#others;
  }
}

interface Group {
  readonly kind: FailureKind;
  /** True of every failure: once their messages differ, their numbers are `N`. */
  message: string;
  count: number;
  readonly subtasks: string[];
  readonly outputs: FailureLog[];
}

function outputOf(subtask: string, results: JsonValue): FailureLog[] {
  const text = printedBy(results);
  return text === '' ? [] : [{ subtask, text }];
}

/** The end of what a command printed, as its result has it: errors last, because they tell most. Empty where nothing is known. */
export function printedBy(results: JsonValue): string {
  if (!isJsonObject(results)) return '';
  const printed = ['stdout', 'stderr'].flatMap((name) => {
    const value = Object.hasOwn(results, name) ? results[name] : undefined;
    return typeof value === 'string' && value.trim() !== '' ? [value.slice(-MOST_OUTPUT).trimEnd()] : [];
  });
  return printed.join('\n').slice(-MOST_OUTPUT);
}

const MOST_CAUSES = 30;
const MOST_NAMES = 5;
const MOST_MESSAGE = 300;
/** Outputs kept of a cause, and characters of each. */
const MOST_OUTPUTS = 2;
const MOST_OUTPUT = 4096;
