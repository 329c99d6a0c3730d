/**
 * A no-op subtask on other processes, through Redis: waveplan beside plain BullMQ with one job a task, `npm run bench:remote`.
 * Options: `--rounds N` (default 5), `--small` (a tenth of the work).
 *
 * The two sides run in turns (A B A B …) after a run of each that does not count, on one Redis, which both have to
 * themselves for their turn. Ours journals every subtask; the peer keeps nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Comparison, cellsOf, inTurns } from '../peers/samples.ts';
import { RealThing } from '../simulate/measure/real-run.ts';
import { hasRedisServer, RedisServer } from './redis-server.ts';

const REPORTS = fileURLToPath(new URL('../reports', import.meta.url));
const PLAIN = fileURLToPath(new URL('./plain-bullmq.mjs', import.meta.url));
/** Agents of a worker of ours: as many as it would take by itself. */
const AGENTS = 4 * availableParallelism();
/** Jobs at a time of a worker of the peer's: the best of 30, 50, 100 and 300. */
const CONCURRENCY = 50;
/** The ratio that is aimed at. */
const AIM = 0.1;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    small: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const scale = values.small ? 0.1 : 1;
/** Each side does what takes it about as long as the other. */
const ours = Math.round(200_000 * scale);
const thousands = Math.round(20 * scale);
const cores = availableParallelism();

if (hasRedisServer()) await compare();
else {
  console.error('*** SKIPPED: there is no redis-server: nothing was measured ***');
  process.exitCode = 3;
}

async function compare(): Promise<void> {
  const redis = await RedisServer.start();
  const real = new RealThing(redis);
  try {
    const work = { name: 'noop', subtasks: ours, cpuMs: 0, waitMs: 0 };
    const comparisons: Comparison[] = [];
    for (const workers of [1, cores]) {
      comparisons.push(
        await inTurns({
          name: `a no-op subtask on ${workers} ${workers === 1 ? 'worker process' : 'worker processes'}`,
          ours: {
            name: `waveplan, ${AGENTS} agents each, ${ours.toLocaleString('en')} subtasks with their checkpoints`,
            run: async () => (1000 * (await real.run(work, { workers, agentsPerWorker: AGENTS })).ms) / ours,
          },
          peer: {
            name: `plain BullMQ, one job a task, ${CONCURRENCY} at a time each, ${thousands},000 tasks`,
            run: async () => {
              // Ours are no burden to the peer: they are there only while they are at their turn.
              await real.rest();
              return (
                Number(execFileSync(process.execPath, [PLAIN, redis.url, `${thousands}`, `${workers}`, `${CONCURRENCY}`])) /
                thousands
              );
            },
          },
          rounds,
          unit: 'µs a task',
          aim: AIM,
        }),
      );
    }
    report(comparisons);
  } finally {
    await real.close();
    await redis.stop();
  }
}

function report(comparisons: readonly Comparison[]): void {
  const lines = [
    '# Past one machine: beside plain BullMQ',
    '',
    `${rounds} rounds in turns, ${cores} cores (${cpus()[0]?.model ?? 'unknown'}, ${arch()}), Node ${process.version}, ${new Date().toISOString()}.`,
    "Medians; the ratio is ours over the peer's, below 1 is faster; the spread is that of the ratios turn by turn.",
    'All processes and Redis share the cores. Ours is the wave with its checkpoints on disk; the peer keeps nothing.',
    '',
    '| what | ours | peer | unit | ratio | spread | aim, at most |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...comparisons.map(row),
    '',
  ];
  mkdirSync(REPORTS, { recursive: true });
  writeFileSync(join(REPORTS, 'remote.md'), lines.join('\n'));
  const raw = { rounds, node: process.version, at: new Date().toISOString(), comparisons };
  writeFileSync(join(REPORTS, 'remote.json'), `${JSON.stringify(raw, null, 1)}\n`);
  console.log(lines.join('\n'));
  console.log('Report: bench/reports/remote.md, raw samples beside it.');
}

function row(comparison: Comparison): string {
  return `| ${cellsOf(comparison).join(' | ')} |`;
}
