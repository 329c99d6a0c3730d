import { keepEnvironment } from '../actions/kept-environment.js';
import { endLaunchers } from '../actions/launchers.js';
import { RUN_VARIABLE } from '../actions/leftovers.js';
import { perform, unreadable } from '../actions/perform.js';
import { leftoversEnded } from '../actions/process-group.js';
import { captureConsole, catchStrays } from '../actions/subtask-log.js';
import { clockOn, type TimeLine } from '../model/clock.js';
import { copyOf } from '../model/json.js';
import type { Chunk, OutcomeSink } from '../worker/chunk.js';
import { ChunkRunner } from '../worker/chunk-runner.js';
import { Claims } from '../worker/claims.js';
import { successOutcome } from '../worker/outcome-log.js';
import { preparerOf } from '../worker/prepare.js';
import { chunkHandle } from './chunk-handle.js';
import type { ChunkHandle, ChunkListener, Executor } from './executor.js';

/**
 * Runs subtasks in the coordinator's own thread, with no pool: for work so small that starting threads would cost more
 * than they save. A module here can take the coordinator down with it, so only modules that are known to end come here.
 */
export class InlineExecutor implements Executor {
  readonly #now: () => number;
  readonly #onStray: (message: string) => void;
  readonly #env = keepEnvironment();
  #consoleCaptured = false;
  #run: string | undefined;

  /** @param onStray told of errors that no subtask owns any more. */
  constructor(timeLine: TimeLine, onStray: (message: string) => void) {
    this.#now = clockOn(timeLine);
    this.#onStray = onStray;
  }

  async open(): Promise<void> {}

  run(chunk: Chunk, _agent: number, listener: ChunkListener): ChunkHandle {
    const { task, surroundings } = chunk.program;
    this.#run = surroundings.run;
    // What a module starts takes the variables of the process, which other runs may share.
    if (task.work.kind === 'module') process.env[RUN_VARIABLE] = this.#run;
    if (task.work.kind === 'module' && !this.#consoleCaptured) {
      this.#consoleCaptured = true;
      captureConsole('pass');
      catchStrays(this.#onStray);
    }
    const host = {
      results: async (task: string) => {
        const results = await listener.readResults(task);
        if (results === undefined) throw unreadable(task);
        // From another thread it would be a copy as well.
        return copyOf(results);
      },
      groupStarted: () => {},
      now: this.#now,
      ownThread: false,
    };
    const claims = new Claims(chunk.count);
    let runner: ChunkRunner | undefined;
    let cancelled = false;
    const run = async () => {
      runner = new ChunkRunner(chunk, {
        perform: (request, stop, log) => perform(request, stop, log, host),
        preparer: await preparerOf(task, { ...surroundings, env: this.#env }),
        sink: directSink(listener),
        claims,
        now: this.#now,
        onOutcome: listener.flushed,
      });
      if (cancelled) runner.cancel();
      await runner.run();
      listener.ended();
    };
    // Not before the caller has its handle, and not without a turn for timers and the disk.
    setImmediate(() => void run());
    return chunkHandle(claims, () => {
      cancelled = true;
      // Work that has ended already counts as what it is: its end may be the next event.
      setImmediate(() => runner?.cancel());
    });
  }

  async close(): Promise<void> {
    if (this.#run === undefined) return;
    if (process.env[RUN_VARIABLE] === this.#run) delete process.env[RUN_VARIABLE];
    endLaunchers(this.#run);
    await leftoversEnded();
  }
}

/** A sink that hands outcomes to the listener in the same thread. */
export function directSink({ outcome: tell }: Pick<ChunkListener, 'outcome'>): OutcomeSink {
  return {
    success: (position, text, _started, durationMs, log) => tell(successOutcome(position, text, durationMs, log)),
    failure: (position, key, outcome) => tell({ kind: 'failure', position, key, outcome }),
    leftOut: (position) => tell({ kind: 'left-out', position }),
  };
}
