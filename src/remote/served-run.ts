import { totalCpuSeconds } from '../execute/cpu-time.js';
import type { ChunkHandle, Executor } from '../execute/executor.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { unreachable } from '../model/result.js';
import { taskForThreads } from '../plan/conditions.js';
import type { TaskDefinition, ValidPlan } from '../plan/valid-plan.js';
import type { Chunk, SubtaskOutcome, TaskProgram } from '../worker/chunk.js';
import type { AgentSlots } from './agent-slots.js';
import { sha256 } from './plan-identity.js';
import type { Hello, JobText, Program, ToCoordinator, ToWorker } from './protocol.js';
import { type JobSeen, Replays } from './replays.js';

/** How long a job waits for its program, which comes another way. */
const PROGRAM_MS = 30_000;

/** What a run that was let in has here. */
export interface AdmittedRun {
  readonly plan: ValidPlan;
  readonly params: JsonObject;
  readonly executor: Executor;
}

/** What serves a run. */
export interface ServedRunPorts {
  /** Sends to the run's coordinator. */
  readonly send: (message: ToCoordinator, options?: { readonly bytes?: Uint8Array; readonly urgent?: boolean }) => void;
  /** Looks for the run's plan and makes what runs it; the reason why not where that cannot be. */
  readonly admit: (hello: Hello) => Promise<AdmittedRun | string>;
  readonly slots: AgentSlots;
  readonly agents: number;
  /** The number of the worker's last beat. */
  readonly beat: () => number;
  /** The folder that stands for the one in which the run works. */
  readonly root: string;
  /** The outcome as a message can hold it. */
  readonly pack: (chunk: Chunk, outcome: SubtaskOutcome) => readonly PackedOutcome[];
  /** Tells whoever looks at this worker. */
  readonly log: (text: string) => void;
  /** The run is over here. */
  readonly onOver: () => void;
}

/** An outcome ready to be sent. */
export interface PackedOutcome {
  readonly message: Extract<ToCoordinator, { type: 'outcome' }>;
  readonly bytes?: Uint8Array;
}

interface KnownProgram {
  readonly digest: string;
  readonly program: TaskProgram;
}

interface AcceptedChunk {
  readonly job: JobText;
  handle: ChunkHandle | undefined;
  /** Takes it out of those that wait for an agent. */
  withdraw: () => boolean;
}

/**
 * One coordinator's run, as a worker serves it.
 *
 *   greeted ──its plan is here──▶ serving ──bye, or its coordinator is gone──▶ over
 *      \──────────it is not──────────────────────────────────────────────────▶ over
 */
export class ServedRun {
  readonly #ports: ServedRunPorts;
  readonly #replays = new Replays();
  readonly #programs = new Map<number, KnownProgram>();
  readonly #chunks = new Map<number, AcceptedChunk>();
  readonly #asks = new Map<number, (results: JsonValue | undefined) => void>();
  /** Jobs that came before their programs. */
  readonly #early = new Map<number, JobText[]>();
  #hello: Hello | undefined;
  #admitted: AdmittedRun | undefined;
  #nextAsk = 0;
  #over = false;
  readonly #cpuBefore = totalCpuSeconds();

  constructor(ports: ServedRunPorts) {
    this.#ports = ports;
  }

  /** Chunks that were accepted and did not end. */
  get chunks(): number {
    return this.#chunks.size;
  }

  get name(): string {
    return this.#hello === undefined ? 'a run' : `run ${this.#hello.run} of plan '${this.#hello.plan.name}'`;
  }

  /** A message of the coordinator, whose seal holds. */
  receive(message: ToWorker): void {
    if (this.#over) return;
    switch (message.type) {
      case 'hello':
        if (this.#hello !== undefined) return;
        this.#hello = message;
        void this.#greet(message);
        return;
      case 'program':
        this.#takeProgram(message);
        return;
      case 'answer':
        this.#asks.get(message.ask)?.(message.found ? message.results : undefined);
        this.#asks.delete(message.ask);
        return;
      case 'reclaim':
      case 'cancel':
        this.#takeBack(message.chunk, message.type === 'cancel');
        return;
      case 'bye':
        this.#log('it is over');
        void this.end();
        return;
      default:
        unreachable(message);
    }
  }

  /** A job whose seal holds and which is for this session. The reason where it is refused. */
  take(job: JobText): string | undefined {
    const plan = this.#hello?.plan.digest;
    if (this.#over || plan === undefined || this.#admitted === undefined) return 'its run is not served here';
    if (job.plan !== plan) return 'it names another plan than its run';
    const seen: JobSeen = this.#replays.see(job.serial, job.delivery);
    if (seen === 'replayed') return 'it was sent before: a replay';
    if (seen === 'sent-again') return undefined;
    const known = this.#programs.get(job.program);
    if (known !== undefined) {
      this.#start(job, known);
      return undefined;
    }
    const waiting = this.#early.get(job.program) ?? [];
    this.#early.set(job.program, [...waiting, job]);
    setTimeout(() => this.#early.delete(job.program), PROGRAM_MS).unref();
    return undefined;
  }

  /** Ends what runs of it; nothing is told any more. */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    for (const { handle, withdraw } of this.#chunks.values()) {
      withdraw();
      handle?.cancel();
    }
    for (const answer of this.#asks.values()) answer(undefined);
    this.#ports.onOver();
    await this.#admitted?.executor.close();
  }

  #log(text: string): void {
    this.#ports.log(`${this.name}: ${text}`);
  }

  async #greet(hello: Hello): Promise<void> {
    const { admit, send, agents, beat } = this.#ports;
    const admitted = await admit(hello);
    if (typeof admitted === 'string') {
      this.#refuse(admitted);
      return;
    }
    if (this.#over) {
      await admitted.executor.close();
      return;
    }
    this.#admitted = admitted;
    this.#log('served');
    send({ type: 'ready', agents, beat: beat() });
  }

  /** What a task does is taken from the plan that is here; the message has data alone. */
  #takeProgram(message: Program): void {
    const { plan, params } = this.#admitted ?? {};
    const task = plan?.tasks.find(({ id }) => id === message.task);
    if (plan === undefined || params === undefined || this.#hello === undefined) return;
    // Values of params are in the hash, and a secret may have another one here.
    const comparable = Object.keys(this.#hello.secretParams).length === 0;
    if (task === undefined || (comparable && task.hash !== message.hash)) {
      this.#refuse(`task '${message.task}': ${task === undefined ? 'its plan has no such task' : OTHER_HASH}`);
      return;
    }
    const definition: TaskDefinition = { ...taskForThreads(task), hash: message.hash, timeoutMs: message.timeoutMs };
    const known: KnownProgram = {
      digest: programDigest(message),
      program: {
        ref: message.ref,
        wave: message.wave,
        task: definition,
        fanOut: message.fanOut,
        surroundings: { params, folder: this.#ports.root, secrets: plan.secrets, run: this.#hello.run, tasks: message.tasks },
      },
    };
    this.#programs.set(message.ref, known);
    for (const job of this.#early.get(message.ref) ?? []) this.#start(job, known);
    this.#early.delete(message.ref);
  }

  /** Takes no part: what it was given goes elsewhere. */
  #refuse(reason: string): void {
    this.#log(`refused: ${reason}`);
    this.#ports.send({ type: 'refused', reason });
  }

  #start(job: JobText, { digest, program }: KnownProgram): void {
    const { send, slots } = this.#ports;
    if (job.programDigest !== digest || job.task !== program.task.id) {
      this.#refuse(`task '${job.task}': its jobs belong to other data than were sent for it`);
      return;
    }
    const accepted: AcceptedChunk = { job, handle: undefined, withdraw: () => false };
    this.#chunks.set(job.chunk, accepted);
    send({ type: 'accepted', chunk: job.chunk }, { urgent: false });
    accepted.withdraw = slots.take((slot) => this.#run(accepted, program, slot));
  }

  #run(accepted: AcceptedChunk, program: TaskProgram, slot: number): void {
    const { slots, send, pack } = this.#ports;
    const executor = this.#admitted?.executor;
    if (executor === undefined) throw new Error('Internal error: a chunk runs before its run was let in');
    const { job } = accepted;
    const chunk: Chunk = { ...chunkOf(job), program };
    accepted.handle = executor.run(chunk, slot, {
      outcome: (outcome) => {
        if (this.#over) return;
        for (const { message, bytes } of pack(chunk, outcome)) send(message, { urgent: false, ...(bytes && { bytes }) });
      },
      flushed: () => {},
      ended: () => {
        slots.giveBack(slot);
        this.#ended(job.chunk, accepted.handle?.reclaim() ?? 0);
      },
      readResults: (task) => this.#ask(job.chunk, task),
    });
  }

  #ended(chunk: number, begun: number): void {
    this.#chunks.delete(chunk);
    const cpuSeconds = totalCpuSeconds() - this.#cpuBefore;
    if (!this.#over) this.#ports.send({ type: 'ended', chunk, begun, cpuSeconds });
  }

  #takeBack(id: number, cancel: boolean): void {
    const chunk = this.#chunks.get(id);
    if (chunk === undefined) return;
    if (chunk.withdraw()) this.#ended(id, 0);
    else if (cancel) chunk.handle?.cancel();
    else chunk.handle?.reclaim();
  }

  #ask(chunk: number, task: string): Promise<JsonValue | undefined> {
    const ask = this.#nextAsk++;
    return new Promise((resolve) => {
      this.#asks.set(ask, resolve);
      this.#ports.send({ type: 'ask', ask, chunk, task });
    });
  }
}

const OTHER_HASH = 'it is compiled to something else here than there; are the versions of waveplan the same?';

/** What a job is bound to: the program as it was sent. */
export function programDigest(program: Program): string {
  return sha256(JSON.stringify(program));
}

function chunkOf(job: JobText): Omit<Chunk, 'program'> {
  const { chunk, agent, first, count, items, previous, occurrences, attempt, timeoutMs } = job;
  return {
    id: chunk,
    agent,
    first,
    count,
    items,
    attempt,
    ...(previous && { previous }),
    ...(occurrences && { occurrences }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}
