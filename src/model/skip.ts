/** Why a task, or one of its subtasks, does not run. */
export type SkipCause =
  /** Its own `if` is false. */
  | { readonly cause: 'if'; readonly condition: string }
  /** A task (or, in a pair, a subtask) that it needs did not run either. */
  | { readonly cause: 'need-skipped'; readonly need: string }
  | { readonly cause: 'need-failed'; readonly need: string };

/** A cause in words, to follow 'skipped because'. */
export function skipReason(skip: SkipCause): string {
  switch (skip.cause) {
    case 'if':
      return `its \`if\` is false: ${skip.condition}`;
    case 'need-skipped':
      return `${skip.need} was skipped`;
    case 'need-failed':
      return `${skip.need} failed`;
  }
}
