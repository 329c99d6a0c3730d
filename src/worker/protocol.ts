import type { MessagePort } from 'node:worker_threads';
import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import type { TimeLine } from '../model/clock.js';
import type { JsonValue } from '../model/json.js';

/**
 * The messages between the coordinator and a host, the thread that holds one agent or many.
 *
 *   coordinator                      host
 *   HostStart (as a Piscina task) ->
 *                                 <- ready
 *   run                           ->
 *                                 <- group-started   for each process group
 *                                 <- ask             a module wants earlier results
 *   answer                        ->
 *   cancel                        ->
 *                                 <- stray           an error that no subtask owns any more
 *                                 <- done            exactly one for each run
 *   end                           ->                 the Piscina task resolves
 *
 * One Piscina task for each thread and run, not one for each subtask: outcomes then stream back one
 * by one, a subtask can be cancelled without ending its neighbours, and a message costs less than a task.
 */
export interface HostStart {
  readonly port: MessagePort;
  readonly timeLine: TimeLine;
}

export type ToHost =
  | { readonly type: 'run'; readonly request: SubtaskRequest }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'answer'; readonly ask: number; readonly found: boolean; readonly results: JsonValue }
  | { readonly type: 'end' };

export type FromHost =
  | { readonly type: 'ready' }
  | { readonly type: 'group-started'; readonly id: number; readonly pid: number }
  | { readonly type: 'stray'; readonly message: string }
  | { readonly type: 'ask'; readonly ask: number; readonly id: number; readonly task: string }
  | { readonly type: 'done'; readonly id: number; readonly outcome: ActionOutcome };
