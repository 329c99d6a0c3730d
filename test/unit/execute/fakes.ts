import type { ActionOutcome, SubtaskRequest } from '../../../src/actions/action.js';
import type { StopSource } from '../../../src/actions/stop-source.js';
import { chunkHandle } from '../../../src/execute/chunk-handle.js';
import type { AgentLayout, ChunkHandle, ChunkListener, Executor } from '../../../src/execute/executor.js';
import { directSink } from '../../../src/execute/inline-executor.js';
import type { Clock } from '../../../src/model/clock.js';
import type { Failure } from '../../../src/model/failure.js';
import type { JsonValue } from '../../../src/model/json.js';
import { LazyJson } from '../../../src/model/lazy-json.js';
import * as expressions from '../../../src/plan/evaluator.js';
import type { Chunk } from '../../../src/worker/chunk.js';
import { ChunkRunner } from '../../../src/worker/chunk-runner.js';
import { Claims } from '../../../src/worker/claims.js';
import { Preparer } from '../../../src/worker/prepare.js';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock that stands still until a test turns it. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<Timer>();

  readonly now = (): number => this.#now;

  readonly after = (ms: number, fire: () => void): (() => void) => {
    if (!(ms >= 0)) throw new Error(`a timer of ${ms} ms`);
    const timer = { at: this.#now + ms, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** Goes on by `ms`; what is due on the way fires in order, at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#first(); next !== undefined && next.at <= until; next = this.#first()) this.#fire(next);
    this.#now = until;
  }

  /** Goes on to the next timer. */
  tick(): void {
    const next = this.#first();
    if (next === undefined) throw new Error('no timer is set');
    this.#fire(next);
  }

  #first(): Timer | undefined {
    return [...this.#timers].sort((a, b) => a.at - b.at)[0];
  }

  #fire(timer: Timer): void {
    this.#now = Math.max(this.#now, timer.at);
    this.#timers.delete(timer);
    timer.fire();
  }
}

/** An attempt that a fake executor was given and that a test ends when it likes. */
export interface Execution {
  readonly request: SubtaskRequest;
  readonly agent: number;
  readonly readResults: ChunkListener['readResults'];
  readonly startedAt: number;
  cancelled: boolean;
}

/** What a test says of an outcome; the rest is a success without results. */
export interface OutcomeSketch {
  readonly failure?: Failure;
  readonly results?: JsonValue;
  readonly log?: string;
}

/**
 * Runs nothing: attempts stay open until the test ends them, one by one, in the order that it likes. What is around an
 * attempt, its expressions and its checkpoint, is the real thing.
 */
export class FakeExecutor implements Executor {
  readonly #clock: Clock;
  readonly #open = new Map<Execution, (outcome: ActionOutcome) => void>();
  /** All attempts ever, in the order they came. */
  readonly executions: Execution[] = [];
  readonly layouts: AgentLayout[] = [];
  /** All chunks ever. */
  readonly chunks: Chunk[] = [];
  onExecute: (execution: Execution) => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The attempts that were not ended yet, in the order they came. */
  get running(): readonly Execution[] {
    return [...this.#open.keys()];
  }

  open(layout: AgentLayout): Promise<void> {
    this.layouts.push(layout);
    return Promise.resolve();
  }

  run(chunk: Chunk, agent: number, listener: ChunkListener): ChunkHandle {
    this.chunks.push(chunk);
    const claims = new Claims(chunk.count);
    // An agent begins when it is told to, also where that is in the middle of a turn of the clock.
    let begun: number | undefined = this.#clock.now();
    const runner = new ChunkRunner(chunk, {
      perform: (request, stop) => {
        const startedAt = begun ?? this.#clock.now();
        begun = undefined;
        return this.#perform({ request, agent, readResults: listener.readResults, startedAt, cancelled: false }, stop);
      },
      sink: directSink(listener),
      claims,
      preparer: new Preparer(chunk.program.task, { ...chunk.program.surroundings, env: {} }, expressions),
      now: this.#clock.now,
      onOutcome: listener.flushed,
    });
    void Promise.resolve()
      .then(() => runner.run())
      .then(() => listener.ended());
    return chunkHandle(claims, () => runner.cancel());
  }

  #perform(execution: Execution, stop: StopSource): Promise<ActionOutcome> {
    return new Promise((resolve) => {
      stop.onStop(() => {
        execution.cancelled = true;
      });
      this.executions.push(execution);
      this.#open.set(execution, resolve);
      this.onExecute(execution);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  end(execution: Execution, { failure, results = null, log = '' }: OutcomeSketch = {}): void {
    const resolve = this.#open.get(execution);
    if (resolve === undefined) throw new Error(`${execution.request.subtask} does not run`);
    this.#open.delete(execution);
    const { startedAt } = execution;
    resolve({
      failure,
      results: LazyJson.ofValue(results),
      log,
      started: startedAt,
      durationMs: this.#clock.now() - startedAt,
      leaked: false,
    });
  }

  /** The only attempt at `subtask` that runs. */
  runningOf(subtask: string): Execution {
    const [found, ...others] = this.running.filter((execution) => execution.request.subtask === subtask);
    if (found === undefined || others.length > 0) throw new Error(`${subtask} runs ${others.length + (found ? 1 : 0)} times`);
    return found;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A failure of `kind`. */
export function failureOf(kind: Failure['kind'] = 'command', message = 'exit code 1'): Failure {
  return { kind, message };
}
