import type { Checkpoint } from '../model/checkpoint.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { TaskDefinition } from '../plan/valid-plan.js';

/** A subtask that is about to be handed out, with all that its expressions see. */
export interface SubtaskAbout {
  readonly task: TaskDefinition;
  /** Undefined for a task without `foreach`, as is `item`. */
  readonly index: number | undefined;
  readonly item: JsonValue | undefined;
  /** How often an equal item came before. */
  readonly occurrence: number;
  /** What the paired subtask returned, under `foreach: { each }`. */
  readonly previous: JsonValue | undefined;
  /** `{results}` of the tasks that its expressions read; one object for all subtasks of a task. */
  readonly tasks: JsonObject;
  /** The results of every task before it, for a module may ask for any of them. */
  readonly resultsBefore: () => JsonObject;
}

/**
 * What was finished earlier: in an earlier part of the run, or in an earlier run, since when nothing changed. The scheduler asks for
 * each subtask before it hands it out; what is found counts as finished, with the results of its checkpoint, and does not run again.
 */
export interface FinishedSubtasks {
  /** Whether any subtask of a task may be finished. */
  knows(task: string): boolean;
  /** Whether any subtask of a task succeeded in an earlier part of this very run. */
  hasSuccess?(task: string): boolean;
  /** All subtasks of a task are about to be asked for: what is known of earlier ones counts no more. */
  begin?(task: string): void;
  /**
   * Drops what is recorded of a task but was not asked for since `begin`: the plan no longer has those subtasks. Returns
   * their keys.
   */
  dropRest?(task: string): readonly string[];
  /** Whether the subtask of a task with this key is finished. A run tells what it is about; without that, its key alone counts. */
  has(task: string, key: string, about?: SubtaskAbout): boolean;
  /** Its checkpoint; undefined where it is to run, also because its record can be read no more. */
  find(task: string, key: string): Checkpoint | undefined;
  /** Whether its record is of another run, so that this run has to write it again. */
  isOfEarlierRun?(task: string, key: string): boolean;
  /** The line of its record, of another run; undefined where it is to be made anew from what `find` says. */
  line?(task: string, key: string): string | undefined;
}

/** What either of two knows; the first is asked first. */
export function eitherFinished(first: FinishedSubtasks, second: FinishedSubtasks): FinishedSubtasks {
  return {
    knows: (task) => first.knows(task) || second.knows(task),
    hasSuccess: (task) => first.hasSuccess?.(task) === true || second.hasSuccess?.(task) === true,
    begin: (task) => {
      first.begin?.(task);
      second.begin?.(task);
    },
    dropRest: (task) => [...(first.dropRest?.(task) ?? []), ...(second.dropRest?.(task) ?? [])],
    has: (task, key, about) => first.has(task, key, about) || second.has(task, key, about),
    find: (task, key) => first.find(task, key) ?? second.find(task, key),
    isOfEarlierRun: (task, key) => !first.has(task, key) && second.isOfEarlierRun?.(task, key) === true,
    line: (task, key) => (first.has(task, key) ? undefined : second.line?.(task, key)),
  };
}
