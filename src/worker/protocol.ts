import type { MessagePort } from 'node:worker_threads';
import type { TimeLine } from '../model/clock.js';
import type { JsonValue } from '../model/json.js';
import type { Chunk, TaskProgram } from './chunk.js';
import type { PostedOutcome } from './outcome-log.js';

/**
 * The messages between the coordinator and a host, the thread that holds one agent or many.
 *
 *   coordinator                      host
 *   HostStart (as a Piscina task) ->
 *                                 <- ready
 *   program                       ->                 once for each task of which chunks follow
 *   run                           ->
 *   forget                        ->                 no chunks of these programs follow
 *                                 <- group-started   for each process group of a module
 *                                 <- launcher        one that starts commands came or went
 *                                 <- ask             a module wants earlier results
 *   answer                        ->
 *   cancel                        ->
 *                                 <- outcomes        there is something in the shared log
 *                                 <- outcome         one that is too large for it
 *                                 <- stray           an error that no subtask owns any more
 *                                 <- done            exactly one for each run, after its outcomes
 *   end                           ->                 the Piscina task resolves
 *
 * One Piscina task for each thread and run, not one for each subtask. Subtasks come in chunks and their outcomes go back
 * through memory that both sides share (`outcome-log.ts`), so a message is spread over many small subtasks; a chunk's
 * rest can be taken back at any moment (`claims.ts`), and one chunk can be cancelled without its neighbours.
 */
export interface HostStart {
  readonly port: MessagePort;
  readonly timeLine: TimeLine;
  readonly outcomes: SharedArrayBuffer;
}

/** A chunk on its way; its program was sent before. */
export type SentChunk = Omit<Chunk, 'program'> & { readonly program: number };

export type ToHost =
  | { readonly type: 'program'; readonly program: TaskProgram }
  | { readonly type: 'run'; readonly chunk: SentChunk; readonly claims: SharedArrayBuffer }
  | { readonly type: 'forget'; readonly programs: readonly number[] }
  | { readonly type: 'cancel'; readonly chunk: number }
  | { readonly type: 'answer'; readonly ask: number; readonly found: boolean; readonly results: JsonValue }
  | { readonly type: 'end' };

export type FromHost =
  | { readonly type: 'ready' }
  | { readonly type: 'group-started'; readonly chunk: number; readonly pid: number }
  | { readonly type: 'launcher'; readonly pid: number; readonly state: 'started' | 'ended' }
  | { readonly type: 'stray'; readonly message: string }
  | { readonly type: 'ask'; readonly ask: number; readonly chunk: number; readonly task: string }
  | { readonly type: 'outcomes' }
  | { readonly type: 'outcome'; readonly outcome: PostedOutcome }
  | { readonly type: 'done'; readonly chunk: number; readonly leaked: boolean };
