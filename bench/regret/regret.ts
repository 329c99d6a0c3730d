/**
 * How much time the automatic number of agents loses against the best one found by trying: `npm run bench:regret`.
 * Options: `--rounds N` (default 5), `--pairs N` (default 3), `--only NAME`.
 *
 * Every count runs in turns (automatic, 1, 2, 4 … automatic, 1, 2, 4 …), so that a busy moment of the machine meets them
 * all. A time is that of the run's waves, with the start of threads; Node's own start is the same for all. A count above the
 * capacity is told, and not what the automatic one is held against: that one stays below it. Before that, pairs of automatic runs
 * of which the first knows nothing, for the second's prediction.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { medianOf } from '../../src/model/statistics.ts';
import { MODULES, WORKLOADS, type Workload } from './workloads.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const REPORTS = fileURLToPath(new URL('../reports', import.meta.url));

interface Sample {
  readonly count: number | 'auto';
  readonly agents: number;
  readonly seconds: number;
  readonly predictedSeconds: number | null;
  /** The most agents that are taken to be safe. */
  readonly capacity: number;
}

interface Outcome {
  readonly name: string;
  /** |predicted − actual| / actual of the first and the second automatic run: medians of all pairs. */
  readonly predictionErrors: readonly (number | null)[];
  /** Of the second runs, from the least to the most. */
  readonly secondErrors: readonly number[];
  readonly ratio: number;
  /** Of each round's automatic time to the median of the best count. */
  readonly spread: readonly [number, number];
  readonly best: number;
  /** What is to be told of counts above the capacity. */
  readonly note: string;
  readonly agents: number;
  readonly samples: readonly Sample[];
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, pairs: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
const pairs = Number(values.pairs);
const chosen = WORKLOADS.filter(({ name }) => values.only === undefined || name === values.only);

const folder = mkdtempSync(join(tmpdir(), 'waveplan-regret-'));
try {
  console.log('Measuring this machine …');
  for (const [name, source] of Object.entries(MODULES)) writeFileSync(join(folder, name), source);
  mkdirSync(join(folder, 'files'));
  waveplan('bench', '--duration', '10s', '--state-dir', join(folder, '.waveplan'));
  const outcomes = chosen.map(tryOut);
  report(outcomes);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tryOut(workload: Workload): Outcome {
  writeFileSync(join(folder, 'plan.yaml'), workload.plan);
  const learning = Array.from({ length: pairs }, () => {
    rmSync(join(folder, '.waveplan', 'history.ndjson'), { force: true });
    return [run('auto'), run('auto')] as const;
  });
  const errorsOf = (nth: 0 | 1) => learning.flatMap((pair) => predictionError(pair[nth]) ?? []).sort((a, b) => a - b);
  const secondErrors = errorsOf(1);
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const count of ['auto', ...workload.counts] as const) samples.push(run(count));
  }
  const times = (count: number | 'auto') => samples.filter((sample) => sample.count === count).map(({ seconds }) => seconds);
  const capacity = samples[0]?.capacity ?? Number.POSITIVE_INFINITY;
  const medians = workload.counts.map((count) => ({ count, seconds: medianOf(times(count)) }));
  const best = medians
    .filter(({ count }) => count <= capacity)
    .reduce((least, entry) => (entry.seconds < least.seconds ? entry : least));
  const above = medians.filter(({ count, seconds }) => count > capacity && seconds < best.seconds);
  const note = above
    .map(
      ({ count, seconds }) =>
        `${count} agents took ${(seconds / best.seconds).toFixed(3)} of that, above the capacity of ${capacity}`,
    )
    .join('; ');
  const ratios = times('auto').map((seconds) => seconds / best.seconds);
  const agents = samples.findLast(({ count }) => count === 'auto')?.agents ?? 0;
  const outcome: Outcome = {
    name: workload.name,
    predictionErrors: [errorsOf(0), secondErrors].map((errors) => (errors.length === 0 ? null : medianOf(errors))),
    secondErrors,
    note,
    ratio: medianOf(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    best: best.count,
    agents,
    samples: [...learning.flat(), ...samples],
  };
  console.log(row(outcome));
  return outcome;
}

function run(count: number | 'auto'): Sample {
  waveplan('run', 'plan.yaml', '--yes', '--quiet', ...(count === 'auto' ? [] : ['--agents', `${count}`]));
  const runs = join(folder, '.waveplan', 'runs');
  const [id = ''] = readdirSync(runs);
  const report = JSON.parse(readFileSync(join(runs, id, 'report.json'), 'utf8'));
  rmSync(runs, { recursive: true });
  return {
    count,
    agents: report.waves[0].agents,
    seconds: report.statistics.wavesMs / 1000,
    predictedSeconds: report.prediction?.waves[0]?.predictedSeconds ?? null,
    capacity: report.decision.capacity.agents,
  };
}

function waveplan(...args: readonly string[]): void {
  execFileSync(process.execPath, [MAIN, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function predictionError({ predictedSeconds, seconds }: Sample): number | null {
  return predictedSeconds === null ? null : Math.abs(predictedSeconds - seconds) / seconds;
}

function row({ name, ratio, spread, agents, best, predictionErrors, secondErrors, note }: Outcome): string {
  const [first, second] = predictionErrors.map((error) => (error === null ? '-' : `${(100 * error).toFixed(1)}%`));
  const cells = [
    name.padEnd(10),
    ratio.toFixed(3),
    `${spread[0].toFixed(3)} to ${spread[1].toFixed(3)}`,
    `${agents}`,
    `${best}`,
    first,
    `${second} (${[secondErrors.at(0), secondErrors.at(-1)].map((error = Number.NaN) => (100 * error).toFixed(1)).join(' to ')})`,
    note,
  ];
  return `| ${cells.join(' | ')} |`;
}

function report(outcomes: readonly Outcome[]): void {
  const worst = outcomes.reduce((most, outcome) => (outcome.ratio > most.ratio ? outcome : most));
  const within = outcomes.filter(({ predictionErrors: [, second] }) => second !== null && second !== undefined && second <= 0.1);
  const lines = [
    '# Regret of the automatic number of agents',
    '',
    `${rounds} rounds in turns, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}, ${arch()}), Node ${process.version}, ${new Date().toISOString()}.`,
    'Ratio: median time of the automatic runs over the median of the best count found by trying. Aim: 1.05 or less.',
    `Off: |predicted − actual| / actual of the first and the second automatic run, median of ${pairs} pairs, the first of which knows nothing. Aim for the second: 10% or less.`,
    '',
    '| workload | automatic/best | spread | agents (last) | best count | first off | second off (spread) | counts above the capacity |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...outcomes.map(row),
    '',
    `Worst ratio: ${worst.ratio.toFixed(3)} (${worst.name}). At or below 1.05: ${outcomes.filter(({ ratio }) => ratio <= 1.05).length} of ${outcomes.length}. Second prediction within 10%: ${within.length} of ${outcomes.length}.`,
    '',
  ];
  mkdirSync(REPORTS, { recursive: true });
  writeFileSync(join(REPORTS, 'regret.md'), lines.join('\n'));
  writeFileSync(
    join(REPORTS, 'regret.json'),
    `${JSON.stringify({ rounds, node: process.version, at: new Date().toISOString(), outcomes }, null, 1)}\n`,
  );
  console.log(lines.slice(-2).join('\n'));
  console.log('Report: bench/reports/regret.md, raw samples beside it.');
}
