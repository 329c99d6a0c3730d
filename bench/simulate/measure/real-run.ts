import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '../../../src/model/checkpoint.ts';
import { medianOf } from '../../../src/model/statistics.ts';
import { type Program, startWaveplan, startWorker } from '../../remote/programs.ts';
import { lastRunIn, recordsOf } from '../../remote/records.ts';
import type { RedisServer } from '../../remote/redis-server.ts';
import type { Work } from '../model/costs.ts';
import { NO_TIME, type ProcessorTime, processorTime, since } from './processor-time.ts';

/** A real run of subtasks that are all alike, on workers of this machine. */
export interface RealRun {
  readonly work: Work;
  readonly workers: number;
  readonly agentsPerWorker: number;
  /** Of the wave. */
  readonly ms: number;
  /** Of one subtask, by its record: the middle of all. */
  readonly subtaskMs: number;
  /** How much longer an agent's first subtask took, by its record: the middle of all agents. */
  readonly coldMs: number;
  /** The record of one, as a line. */
  readonly line: string;
  readonly chunks: number;
  /** Messages on streams, in both directions. */
  readonly envelopes: number;
  /** Beyond what was used before the run; the coordinator's with its start and its end. */
  readonly coordinator: ProcessorTime;
  readonly redis: ProcessorTime;
  /** Of all workers together. */
  readonly worker: ProcessorTime;
  /** Bytes that were sent to Redis. */
  readonly sentBytes: number;
  /** The most memory that Redis had, in bytes. */
  readonly redisPeakBytes: number;
}

/** How often processes are looked at, in milliseconds: what a coordinator used after the last look is not seen. */
const LOOK_MS = 10;

/** Runs things for real, with workers that stay from run to run. */
export class RealThing {
  readonly #redis: RedisServer;
  readonly #folder = mkdtempSync(join(tmpdir(), 'waveplan-real-'));
  #workers: Program[] = [];
  #agents = 0;

  constructor(redis: RedisServer) {
    this.#redis = redis;
    writeFileSync(join(this.#folder, 'list.mjs'), 'export default ({ n, item }) => Array.from({ length: n }, () => item);\n');
    writeFileSync(join(this.#folder, 'noop.mjs'), 'export default () => null;\n');
    writeFileSync(
      join(this.#folder, 'wait.mjs'),
      'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms)).then(() => null);\n',
    );
    // A turn is about a tenth of a millisecond; how long it really takes is in the records.
    writeFileSync(
      join(this.#folder, 'compute.mjs'),
      'export default (turns) => {\n  let x = 0;\n  for (let i = 0; i < turns * 60_000; i++) x = (x * 31 + i) | 0;\n  return x & 1;\n};\n',
    );
  }

  /** Runs `work` on so many workers. The first run of a shape makes the history that later ones begin with. */
  async run(work: Work, fleet: { readonly workers: number; readonly agentsPerWorker: number }): Promise<RealRun> {
    await this.hire(fleet.workers, fleet.agentsPerWorker);
    const name = `${work.name}-${work.subtasks}`.replaceAll(/[^a-z0-9]+/gi, '-');
    this.#plan(name, work);
    const redis = this.#redis;
    const before = await redis.counters();
    const used = (pid: number) => processorTime(pid) ?? NO_TIME;
    const [redisBefore, ...workersBefore] = [redis.pid, ...this.#workers.map(({ pid }) => pid)].map(used);
    const run = startWaveplan(['run', `${name}.yaml`, '--yes', '--quiet', '--executor', 'bullmq', '--redis', redis.url], {
      cwd: this.#folder,
    });
    let coordinator = NO_TIME;
    const looking = setInterval(() => {
      coordinator = processorTime(run.pid) ?? coordinator;
    }, LOOK_MS);
    const code = await run.ended;
    clearInterval(looking);
    if (code !== 0) throw new Error(`a run ended with ${code}: ${run.printed()}`);
    const workers = this.#workers.map(({ pid }, i) => since(workersBefore[i] ?? NO_TIME, used(pid)));
    const after = await redis.counters();
    const folder = lastRunIn(this.#folder) ?? '';
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
      readonly waves: readonly { readonly durationMs: number }[];
    };
    const ms = report.waves[1]?.durationMs ?? Number.NaN;
    const lines = readFileSync(join(folder, 'wave2.ndjson'), 'utf8').split('\n');
    const line = `${lines[Math.floor(lines.length / 2)] ?? ''}\n`;
    const records = recordsOf(this.#folder).filter(({ task_id }) => task_id.startsWith('each['));
    const subtaskMs = middleDuration(records);
    const coldMs = Math.max(0, middleDuration(firstOfAgents(records)) - subtaskMs);
    rmSync(join(this.#folder, '.waveplan', 'runs'), { recursive: true });
    return {
      work,
      ...fleet,
      ms,
      subtaskMs,
      coldMs,
      line,
      chunks: after.jobs - before.jobs,
      envelopes: after.envelopes - before.envelopes,
      coordinator,
      redis: since(redisBefore ?? NO_TIME, used(redis.pid)),
      worker: {
        mainThread: workers.reduce((sum, { mainThread }) => sum + mainThread, 0),
        otherThreads: workers.reduce((sum, { otherThreads }) => sum + otherThreads, 0),
      },
      sentBytes: after.receivedBytes - before.receivedBytes,
      redisPeakBytes: after.peakBytes,
    };
  }

  /** How long a subtask that computes so many turns takes alone on a core, in milliseconds. */
  async msOfTurns(turns: number): Promise<number> {
    this.#plan('turns', { name: `compute ${turns}`, subtasks: 40, cpuMs: turns / 10, waitMs: 0 });
    const run = startWaveplan(['run', 'turns.yaml', '--yes', '--quiet', '--agents', '1'], { cwd: this.#folder });
    if ((await run.ended) !== 0) throw new Error(run.printed());
    const ms = middleDuration(recordsOf(this.#folder).filter(({ task_id }) => task_id.startsWith('each[')));
    rmSync(join(this.#folder, '.waveplan', 'runs'), { recursive: true });
    return ms;
  }

  /** Sends the workers home until the next run. */
  async rest(): Promise<void> {
    await this.#dismiss();
  }

  async close(): Promise<void> {
    await this.#dismiss();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Sees that there are so many workers. */
  async hire(workers: number, agents: number): Promise<void> {
    if (workers === this.#workers.length && agents === this.#agents) return;
    await this.#dismiss();
    this.#agents = agents;
    for (let i = 0; i < workers; i++) this.#workers.push(await startWorker(this.#redis.url, { root: this.#folder, agents }));
  }

  /** As one does who ends them: they leave nothing behind in Redis. */
  async #dismiss(): Promise<void> {
    for (const worker of this.#workers) worker.signal('SIGTERM');
    await Promise.all(this.#workers.map(({ ended }) => ended));
    this.#workers = [];
  }

  #plan(name: string, { subtasks, cpuMs, waitMs }: Work): void {
    const [module, item] = waitMs > 0 ? ['wait', waitMs] : cpuMs > 0 ? ['compute', Math.round(cpuMs * 10)] : ['noop', 0];
    // A module of its own: what is known of earlier runs is kept by a task's definition, and this one's work is another.
    writeFileSync(join(this.#folder, `${name}.mjs`), `export { default } from './${module}.mjs';\n`);
    writeFileSync(
      join(this.#folder, `${name}.yaml`),
      `version: 1
name: ${name}
backup: none
tasks:
  list: { uses: ./list.mjs, with: { n: ${subtasks}, item: ${item} } }
  each: { needs: [list], foreach: "\${{ tasks.list.results }}", uses: ./${name}.mjs, with: "\${{ item }}" }
`,
    );
  }
}

function middleDuration(records: readonly Checkpoint[]): number {
  return medianOf(records.map(({ duration_ms }) => duration_ms));
}

function firstOfAgents(records: readonly Checkpoint[]): readonly Checkpoint[] {
  const firsts = new Map<string, Checkpoint>();
  for (const record of records) {
    const first = firsts.get(record.agent_id);
    if (first === undefined || record.started < first.started) firsts.set(record.agent_id, record);
  }
  return [...firsts.values()];
}
