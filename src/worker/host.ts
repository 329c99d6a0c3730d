import type { MessagePort } from 'node:worker_threads';
import { keepEnvironment } from '../actions/kept-environment.js';
import { endLaunchers, watchLaunchers } from '../actions/launchers.js';
import { RUN_VARIABLE } from '../actions/leftovers.js';
import { perform, unreadable } from '../actions/perform.js';
import { leftoversEnded } from '../actions/process-group.js';
import { captureConsole, catchStrays } from '../actions/subtask-log.js';
import { clockOn } from '../model/clock.js';
import type { JsonValue } from '../model/json.js';
import { unreachable } from '../model/result.js';
import type { Chunk, TaskProgram } from './chunk.js';
import { ChunkRunner, type Perform } from './chunk-runner.js';
import { Claims } from './claims.js';
import { OutcomeWriter } from './outcome-log.js';
import { Preparer, preparerOf } from './prepare.js';
import type { FromHost, HostStart, SentChunk, ToHost } from './protocol.js';

/** The Piscina task of a thread: hosts agents until it is told to end. */
export default function host(start: HostStart): Promise<void> {
  captureConsole('drop');
  catchStrays((message) => start.port.postMessage({ type: 'stray', message } satisfies FromHost));
  return new Promise((resolve) => {
    const session = new HostSession(start, resolve);
    session.open();
  });
}

interface LoadedProgram {
  readonly program: TaskProgram;
  readonly preparer: Preparer | Promise<Preparer>;
}

/** With all its fields, in one order: chunks that lack some would each be another type to V8, which compiles their runner anew. */
function withShape(sent: SentChunk, program: TaskProgram): Chunk {
  const { id, agent, first, count, items, previous, occurrences, timeoutMs, attempt } = sent;
  return { id, program, agent, first, count, items, previous, occurrences, timeoutMs, attempt };
}

class HostSession {
  readonly #port: MessagePort;
  readonly #now: () => number;
  readonly #ended: () => void;
  readonly #env = keepEnvironment();
  readonly #outcomes: OutcomeWriter;
  readonly #programs = new Map<number, LoadedProgram>();
  readonly #runners = new Map<number, ChunkRunner>();
  readonly #asks = new Map<number, (answer: Extract<ToHost, { type: 'answer' }>) => void>();
  readonly #launchers = new Set<number>();
  #nextAsk = 0;

  constructor(start: HostStart, ended: () => void) {
    this.#port = start.port;
    this.#now = clockOn(start.timeLine);
    this.#ended = ended;
    this.#outcomes = new OutcomeWriter(start.outcomes, (outcome) => this.#post({ type: 'outcome', outcome }));
  }

  open(): void {
    watchLaunchers((pid, state) => {
      if (state === 'started') this.#launchers.add(pid);
      else this.#launchers.delete(pid);
      this.#post({ type: 'launcher', pid, state });
    });
    this.#port.on('message', (message: ToHost) => this.#receive(message));
    this.#post({ type: 'ready' });
  }

  #receive(message: ToHost): void {
    switch (message.type) {
      case 'program':
        this.#programs.set(message.program.ref, { program: message.program, preparer: this.#preparer(message.program) });
        return;
      case 'run':
        void this.#run(message.chunk, message.claims);
        return;
      case 'forget':
        for (const program of message.programs) this.#programs.delete(program);
        return;
      case 'cancel':
        // Work that has ended already counts as what it is: its end may be the next event.
        setImmediate(() => this.#runners.get(message.chunk)?.cancel());
        return;
      case 'answer':
        this.#asks.get(message.ask)?.(message);
        this.#asks.delete(message.ask);
        return;
      case 'end':
        this.#port.close();
        endLaunchers();
        void leftoversEnded().then(this.#ended);
        return;
      default:
        unreachable(message);
    }
  }

  async #run(sent: SentChunk, claims: SharedArrayBuffer): Promise<void> {
    const loaded = this.#programs.get(sent.program);
    if (loaded === undefined) throw new Error('Internal error: a chunk came before its program');
    const { program } = loaded;
    // A task that is no fan-out has one chunk, or one for each attempt; keeping its program would keep them all.
    if (!program.fanOut) this.#programs.delete(program.ref);
    const { id } = sent;
    const performer = this.#performer(id);
    const preparer = loaded.preparer instanceof Preparer ? loaded.preparer : await loaded.preparer;
    const runner = new ChunkRunner(withShape(sent, program), {
      perform: performer,
      sink: this.#outcomes.sinkOf(id),
      claims: new Claims(sent.count, claims),
      preparer,
      now: this.#now,
      onOutcome: () => this.#outcomeWritten(),
      onHold: (holding) => this.#outcomes.hold(id, holding),
    });
    this.#runners.set(id, runner);
    await runner.run();
    this.#runners.delete(id);
    this.#post({ type: 'done', chunk: id, leaked: runner.leaked });
    this.#outcomes.chunkEnded();
  }

  #preparer({ task, surroundings }: TaskProgram): Preparer | Promise<Preparer> {
    // For what a module starts; a thread is one run's, and these variables are the thread's own.
    process.env[RUN_VARIABLE] = surroundings.run;
    return preparerOf(task, { ...surroundings, env: this.#env });
  }

  #performer(chunk: number): Perform {
    const host = {
      results: (task: string) => this.#ask(chunk, task),
      groupStarted: (pid: number) => {
        if (!this.#launchers.has(pid)) this.#post({ type: 'group-started', chunk, pid });
      },
      now: this.#now,
      ownThread: true,
      pausedMs: () => this.#outcomes.pausedMs(this.#now()),
      onHold: (holding: boolean) => this.#outcomes.hold(chunk, holding),
    };
    return (request, stop, log) => perform(request, stop, log, host);
  }

  /** The coordinator looks by itself a few times a second: a message would take a core from the work each time. */
  #outcomeWritten(): void {
    if (this.#outcomes.filling) this.#post({ type: 'outcomes' });
  }

  #ask(chunk: number, task: string): Promise<JsonValue> {
    const ask = this.#nextAsk++;
    return new Promise((resolve, reject) => {
      this.#asks.set(ask, (answer) => {
        if (answer.found) resolve(answer.results);
        else reject(unreadable(task));
      });
      this.#post({ type: 'ask', ask, chunk, task });
    });
  }

  #post(message: FromHost): void {
    this.#port.postMessage(message);
  }
}
