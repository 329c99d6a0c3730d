import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { layoutAgents, maxThreads } from '../execute/layout.js';
import { startTimeLine } from '../model/clock.js';
import { type JsonObject, ownJson } from '../model/json.js';
import { maskOfSecrets } from '../plan/secrets.js';
import type { MachineProfile } from '../scaling/machine.js';
import { AgentSlots } from './agent-slots.js';
import { BENCH_FOLDER } from './bench-plan.js';
import { Channel } from './channel.js';
import { findPlan, inside } from './find-plan.js';
import { packOutcome } from './pack-outcome.js';
import { BEAT_MS } from './patience.js';
import type { CoordinatorBeat, Hello, JobText, ToCoordinator, ToWorker, WorkerBeat } from './protocol.js';
import type { Sealer } from './seal.js';
import { type AdmittedRun, ServedRun } from './served-run.js';
import type { Envelope, Wire } from './wire.js';

/** A worker that serves whoever has its key. */
export interface WorkerOptions {
  readonly wire: Wire;
  readonly sealer: Sealer;
  /** The checkout in which plans are looked for and work is done; absolute. */
  readonly root: string;
  readonly agents: number;
  readonly machine: MachineProfile;
  readonly host: string;
  readonly version: string;
  /** A coordinator that was silent for so long is given up, in milliseconds. */
  readonly silenceMs: number;
  /** The folder that the coordinators see as well, for large results. */
  readonly shared?: string | undefined;
  /** Tells whoever looks at this worker. */
  readonly log: (text: string) => void;
}

interface Served {
  readonly run: ServedRun;
  readonly channel: Channel<ToCoordinator, ToWorker>;
  /** When its coordinator was last heard of, and its last beat. */
  heardAt: number;
  beat: number;
}

/** The worker's side: shows that it is there, serves the runs of coordinators that have the key, and refuses all else. */
export class WorkerService {
  readonly session = randomBytes(9).toString('base64url');
  readonly #options: WorkerOptions;
  readonly #slots: AgentSlots;
  readonly #runs = new Map<string, Served>();
  /** Coordinators whose runs are over here: nothing of theirs is taken any more. */
  readonly #past = new Set<string>();
  #beat = 0;
  #beating: NodeJS.Timeout | undefined;
  #leaving: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#slots = new AgentSlots(options.agents);
  }

  async start(): Promise<void> {
    const { wire } = this.#options;
    wire.receivePost(this.session, (envelope) => this.#takePost(envelope));
    wire.onReconnected(() => {
      // Nobody could be heard while Redis was away.
      for (const served of this.#runs.values()) {
        served.heardAt = performance.now();
        served.channel.sendAgain(true);
      }
      void this.#show();
    });
    await wire.receiveJobs(this.session, (job) => this.#takeJob(job));
    await this.#show();
    this.#beating = setInterval(() => void this.#look(), BEAT_MS);
  }

  /** Takes no more jobs; resolves when those are done that it has. */
  async drain(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#leaving = resolve;
    });
    for (const { channel } of this.#runs.values()) channel.send({ type: 'leaving' });
    this.#leaveWhenIdle();
    await done;
  }

  /** Ends everything that runs, says so, and takes this worker out of Redis. */
  async stop(): Promise<void> {
    clearInterval(this.#beating);
    const { wire } = this.#options;
    const runs = [...this.#runs.values()];
    for (const { channel } of runs) channel.send({ type: 'bye' });
    await Promise.all(runs.map(({ channel }) => channel.settled(LAST_WORDS_MS)));
    await Promise.all(runs.map(({ run }) => run.end()));
    if (wire.connected) await Promise.race([wire.forget('worker', this.session), pause(LAST_WORDS_MS)]).catch(() => {});
    await wire.close();
  }

  async #show(): Promise<void> {
    const { wire, sealer, host, agents, root, version, silenceMs, machine } = this.#options;
    if (!wire.connected) return;
    this.#beat += 1;
    const { cores, memoryBytes } = machine;
    const about = { host, pid: process.pid, agents, cores, memoryBytes, root, version, serves: [...this.#runs.keys()] };
    const beat: WorkerBeat = { session: this.session, beat: this.#beat, ...about };
    const text = JSON.stringify(beat);
    await wire.beat('worker', this.session, { text, seal: sealer.seal('beat', [text]) }, 2 * silenceMs).catch(() => {});
  }

  /** Shows itself, sends again what may be lost, and looks whether the coordinators are still there. */
  async #look(): Promise<void> {
    await this.#show();
    const { wire, sealer, silenceMs } = this.#options;
    if (this.#runs.size === 0 || !wire.connected) return;
    const beats = await wire.beats('coordinator').catch(() => undefined);
    if (beats === undefined || !wire.connected) return;
    for (const [session, served] of this.#runs) {
      served.channel.sendAgain();
      const sealed = beats.get(session);
      if (sealed !== undefined && sealer.holds('beat', [sealed.text], sealed.seal)) {
        const { beat } = ownJson(sealed.text) as CoordinatorBeat;
        if (beat > served.beat) Object.assign(served, { beat, heardAt: performance.now() });
      }
      if (performance.now() - served.heardAt <= silenceMs) continue;
      this.#options.log(`${served.run.name}: its coordinator is gone; what ran for it is ended`);
      void served.run.end();
    }
  }

  #takePost(envelope: Envelope): void {
    if (this.#past.has(envelope.from)) return;
    const known = this.#runs.get(envelope.from);
    const served = known ?? this.#open(envelope.from);
    if (!served.channel.take(envelope)) {
      served.channel.close();
      if (known === undefined) this.#refuse('a message without a seal that holds');
      return;
    }
    served.heardAt = performance.now();
    if (known === undefined && !this.#past.has(envelope.from)) this.#runs.set(envelope.from, served);
  }

  /** A coordinator that was not heard of before; it counts when its first message is in order. */
  #open(coordinator: string): Served {
    const { wire, sealer, root, agents, log, shared } = this.#options;
    const channel: Channel<ToCoordinator, ToWorker> = new Channel({
      wire,
      sealer,
      now: () => performance.now(),
      own: this.session,
      peer: coordinator,
      receive: (message) => run.receive(message),
    });
    const run: ServedRun = new ServedRun({
      send: (message, options) => channel.send(message, options),
      admit: (hello) => this.#admit(hello),
      slots: this.#slots,
      agents,
      beat: () => this.#beat,
      root,
      pack: (chunk, outcome) => packOutcome(chunk, outcome, shared),
      log,
      onOver: () => {
        channel.close();
        this.#past.add(coordinator);
        this.#runs.delete(coordinator);
        this.#leaveWhenIdle();
      },
    });
    return { run, channel, heardAt: performance.now(), beat: 0 };
  }

  #takeJob(given: unknown): void {
    const { sealer } = this.#options;
    const { text, seal } = (given ?? {}) as { readonly text?: unknown; readonly seal?: unknown };
    if (typeof text !== 'string' || typeof seal !== 'string' || !sealer.holds('job', [text], seal)) {
      this.#refuse('a job without a seal that holds: forged, or changed on its way');
      return;
    }
    const job = ownJson(text) as JobText;
    const served = this.#runs.get(job.coordinator);
    const refused =
      job.worker !== this.session
        ? 'it is for another worker'
        : served === undefined
          ? 'its run is not served here'
          : served.run.take(job);
    if (refused !== undefined) this.#refuse(`a job of task '${job.task}': ${refused}`);
    this.#leaveWhenIdle();
  }

  /** Told here, and to every coordinator: they have the report. */
  #refuse(reason: string): void {
    this.#options.log(`refused ${reason}`);
    for (const { channel } of this.#runs.values()) channel.send({ type: 'rejected', reason });
  }

  async #admit(hello: Hello): Promise<AdmittedRun | string> {
    const { version, root, agents, machine } = this.#options;
    if (hello.version !== version) return `this worker is waveplan ${version}, its coordinator ${hello.version}`;
    if (this.#leaving !== undefined) return 'this worker is about to end';
    const params = this.#paramsOf(hello);
    if (typeof params === 'string') return params;
    const own = findPlan(root, hello.plan, params);
    // The bench's plan does nothing, and comes with waveplan.
    const bench = own.ok ? own : findPlan(BENCH_FOLDER, hello.plan, params);
    const plan = bench.ok ? bench : own;
    if (!plan.ok) return plan.error;
    const secrets = maskOfSecrets(plan.value.secrets, process.env);
    if (!secrets.ok) return secrets.error.message;
    if (hello.checkout !== undefined && !sees(root, hello.checkout)) return NO_CHECKOUT;
    const { PiscinaExecutor } = await import('../execute/piscina-executor.js');
    const executor = new PiscinaExecutor(maxThreads(plan.value.type, machine.cores), startTimeLine(), (message) =>
      this.#options.log(`${hello.run}: ${message}`),
    );
    await executor.open(layoutAgents(agents, plan.value.type, machine.cores));
    return { plan: plan.value, params, executor };
  }

  /** The run's params, with those that are secrets from the environment here. */
  #paramsOf({ params, secretParams }: Hello): JsonObject | string {
    const own: Record<string, string> = {};
    for (const [name, variable] of Object.entries(secretParams)) {
      const value = process.env[variable];
      if (value === undefined || value === '') return `param ${name} is a secret, and ${variable} is not set here`;
      own[name] = value;
    }
    return { ...params, ...own };
  }

  #leaveWhenIdle(): void {
    if (this.#leaving !== undefined && [...this.#runs.values()].every(({ run }) => run.chunks === 0)) this.#leaving();
  }
}

/** How long a worker that ends waits to be heard. */
const LAST_WORDS_MS = 2000;

const NO_CHECKOUT =
  "the backup covers the coordinator's checkout, which this worker does not see: share it, or run with --backup none";

function sees(root: string, { path, token }: NonNullable<Hello['checkout']>): boolean {
  const file = inside(root, path);
  return file !== undefined && readFileSync(file, 'utf8') === token;
}
