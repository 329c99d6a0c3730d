import type { ActionOutcome, SubtaskRequest } from '../actions/action.js';
import { StopSource } from '../actions/stop-source.js';
import { SubtaskLog } from '../actions/subtask-log.js';
import { checkpointText } from '../model/checkpoint.js';
import { subtaskId } from '../model/ids.js';
import { maskFailure } from '../model/mask.js';
import type { Chunk, OutcomeSink } from './chunk.js';
import type { Claims } from './claims.js';
import { maskOutcome } from './outcome-mask.js';
import type { Preparer, Subtask } from './prepare.js';
import { subtaskKey } from './subtask-key.js';

/** Makes one attempt; see `perform` in actions. */
export type Perform = (request: SubtaskRequest, stop: StopSource, log: SubtaskLog) => ActionOutcome | Promise<ActionOutcome>;

/** What a runner takes from the thread that it runs in. */
export interface RunnerPorts {
  readonly perform: Perform;
  readonly sink: OutcomeSink;
  readonly claims: Claims;
  /** Of the chunk's task. */
  readonly preparer: Preparer;
  /** Milliseconds since the epoch on the run's monotonic time line. */
  readonly now: () => number;
  /** Told after each subtask. */
  readonly onOutcome?: () => void;
  /** Told when a subtask's code begins to run, and when it returns: until then nothing else can run in this thread. */
  readonly onHold?: (holding: boolean) => void;
}

/**
 * Runs the subtasks of one chunk one after the other: evaluates their expressions, makes the attempt, checks the definition
 * of done, and gives the sink a finished checkpoint, or a failure of which the coordinator decides.
 */
export class ChunkRunner {
  readonly #chunk: Chunk;
  readonly #ports: RunnerPorts;
  #stop: StopSource | undefined;
  #leaked = false;

  constructor(chunk: Chunk, ports: RunnerPorts) {
    this.#chunk = chunk;
    this.#ports = ports;
  }

  /** Resolves when nothing of the chunk runs any more. Some work may have been leaked then: see `leaked`. */
  async run(): Promise<void> {
    const { claims, now, onOutcome, onHold } = this.#ports;
    for (let position = claims.claim(now()); position !== undefined; position = claims.claim(now())) {
      onHold?.(true);
      const running = this.#runOne(position);
      onHold?.(false);
      if (running !== undefined) await running;
      onOutcome?.();
      if (this.#leaked) return;
    }
  }

  /** Ends the subtask that runs. The claims must have been cancelled before. */
  cancel(): void {
    this.#stop?.stop('cancelled');
  }

  /** Some work did not end when it was told to and still runs. */
  get leaked(): boolean {
    return this.#leaked;
  }

  /** Nothing where the outcome was there at once. */
  #runOne(position: number): Promise<void> | undefined {
    const { perform, sink, now, preparer, claims } = this.#ports;
    const { program, first, items, previous, attempt, occurrences, id } = this.#chunk;
    const { task, fanOut } = program;
    const item = items?.[position];
    const subtask: Subtask = { item, index: fanOut ? first + position : undefined, previous: previous?.[position] };
    const key = subtaskKey(task.hash, fanOut ? item : undefined, occurrences?.[position] ?? 0);
    const prepared = preparer.prepare(subtask, id, attempt);
    if (!prepared.ok) {
      sink.failure(position, key, {
        failure: maskFailure(prepared.error, preparer.mask),
        results: null,
        log: '',
        started: now(),
        durationMs: 0,
        leaked: false,
      });
      return undefined;
    }
    if (prepared.value.kind === 'left-out') {
      sink.leftOut(position);
      return undefined;
    }
    const { request } = prepared.value;
    // A module cannot have ended before without notice. A command may: its end may be the next event.
    const stop = new StopSource(task.work.kind === 'module' ? claims : undefined);
    this.#stop = stop;
    const { timeoutMs } = this.#chunk;
    const outcome = perform(timeoutMs === undefined ? request : { ...request, timeoutMs }, stop, new SubtaskLog(request.subtask));
    if (!(outcome instanceof Promise)) {
      this.#settle(position, key, subtask, outcome);
      return undefined;
    }
    return outcome.then((done) => this.#settle(position, key, subtask, done));
  }

  #settle(position: number, key: string, subtask: Subtask, unmasked: ActionOutcome): void {
    const { sink, preparer } = this.#ports;
    if (unmasked.leaked) this.#leaked = true;
    const wrong = unmasked.failure ?? preparer.checkSuccess(subtask, unmasked.results);
    if (wrong !== undefined) {
      const outcome = maskOutcome({ ...unmasked, failure: undefined }, preparer.mask);
      const { partial, results, ...rest } = outcome;
      const failure = maskFailure(wrong, preparer.mask);
      sink.failure(position, key, { ...rest, failure, results: results.value, ...(partial && { partial: partial.value }) });
      return;
    }
    const outcome = maskOutcome(unmasked, preparer.mask);
    const { program, agent, attempt } = this.#chunk;
    const text = checkpointText(
      {
        wave: program.wave,
        task_id: subtaskId(program.task.id, subtask.index),
        agent_id: agent,
        key,
        attempt,
        started: outcome.started,
        duration_ms: outcome.durationMs,
      },
      outcome.results.text,
    );
    sink.success(position, text, outcome.started, outcome.durationMs, outcome.log);
  }
}
