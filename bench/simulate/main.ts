/**
 * What comes of a plan on more machines than there are: `npm run simulate`. Measures what a run through Redis costs on this
 * machine, and simulates 10 million subtasks on 10 to 1,000 workers from that.
 * Options: `--check` (also run the real thing on 1 to 4 workers of this machine, and hold the model against it), `--rounds N` (of the check,
 * default 3), `--subtasks N` (default 10000000), `--agents N` of a worker (default 4), `--hop MS` (one way between a machine
 * and Redis, in place of the one measured here), `--seed N` (default 1), `--measured FILE` (a report's JSON,
 * whose measurements are taken in place of new ones, and its check too without `--check`).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasRedisServer, RedisServer } from '../remote/redis-server.ts';
import { type Held, holdAgainst } from './hold-against.ts';
import { type MeasuredCosts, measureCosts } from './measure/measure-costs.ts';
import { RealThing } from './measure/real-run.ts';
import type { Costs } from './model/costs.ts';
import { type Forecast, forecast, kindsOf } from './outlook.ts';
import { costRows, FORECAST_HEAD, forecastRow, HELD_HEAD, heldRow, machineLine } from './report.ts';

const REPORTS = fileURLToPath(new URL('../reports', import.meta.url));
const WORKERS = [10, 20, 50, 100, 200, 500, 1000];

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    subtasks: { type: 'string', default: '10000000' },
    agents: { type: 'string', default: '4' },
    hop: { type: 'string' },
    seed: { type: 'string', default: '1' },
    measured: { type: 'string' },
  },
});

/** The report as raw samples. */
interface Report {
  readonly at: string;
  readonly node: string;
  readonly measured: MeasuredCosts;
  readonly forecasts: readonly Forecast[];
  readonly held: readonly Held[];
}

const seed = Number(values.seed);

const earlier =
  values.measured === undefined
    ? undefined
    : (JSON.parse(readFileSync(values.measured, 'utf8')) as Pick<Report, 'measured' | 'held'>);

if (earlier !== undefined && !values.check) report(earlier.measured, earlier.held);
else if (hasRedisServer()) await measureAndReport();
else {
  console.error('*** SKIPPED: there is no redis-server: nothing was measured ***');
  process.exitCode = 3;
}

async function measureAndReport(): Promise<void> {
  const redis = await RedisServer.start();
  const real = new RealThing(redis);
  try {
    const measured = earlier?.measured ?? (await measureCosts(redis, real));
    for (const row of costRows(measured)) console.log(row);
    const held: Held[] = [];
    if (values.check) {
      for (const row of ['', ...HELD_HEAD]) console.log(row);
      const tell = (one: Held) => console.log(heldRow(one));
      held.push(...(await holdAgainst(measured.costs, real, { rounds: Number(values.rounds), seed, tell })));
    }
    report(measured, held);
  } finally {
    await real.close();
    await redis.stop();
  }
}

function report(measured: MeasuredCosts, held: readonly Held[]): void {
  const costs: Costs = values.hop === undefined ? measured.costs : { ...measured.costs, networkMs: [Number(values.hop)] };
  const forecasts: Forecast[] = [];
  for (const row of ['', ...FORECAST_HEAD]) console.log(row);
  for (const work of kindsOf(Number(values.subtasks))) {
    for (const workers of WORKERS) {
      const fleet = { workers, agentsPerWorker: Number(values.agents), chunksPerAgent: 1, sharedCores: undefined };
      const one = forecast(costs, work, fleet, seed);
      forecasts.push(one);
      console.log(forecastRow(one));
    }
  }
  write(measured, forecasts, held);
}

function write(measured: MeasuredCosts, forecasts: readonly Forecast[], held: readonly Held[]): void {
  const ratios = held.map(({ ratio }) => Math.max(ratio, 1 / ratio));
  const within = (bound: number) => ratios.filter((ratio) => ratio <= bound).length;
  const lines = [
    '# Past one machine: a simulation',
    '',
    `Measured on ${machineLine()}`,
    `${Number(values.subtasks).toLocaleString('en')} subtasks on workers of ${values.agents} agents, each thread with a core of its own, seed ${seed}${values.hop === undefined ? '' : `, one way to Redis set to ${values.hop} ms`}.`,
    'In bold: a part that is in use 95% of the time or more. Otherwise: what bounds the throughput most. What disks, other networks and results of',
    'more than a few bytes add is not in it. Of runs of many chunks the first million is simulated; they go on as they have gone until then.',
    '',
    ...FORECAST_HEAD,
    ...forecasts.map(forecastRow),
    '',
    '## What it is driven by',
    '',
    ...costRows(measured),
    '',
    ...(held.length === 0
      ? []
      : [
          '## The model beside the real thing',
          '',
          `The built command, Redis and all workers of 4 agents on this machine's cores, which the model makes them share; ${held[0]?.actual.length ?? 0} rounds.`,
          'The costs were fitted to other runs, with one worker.',
          '',
          ...HELD_HEAD,
          ...held.map(heldRow),
          '',
          `Within 10%: ${within(1.1)} of ${held.length}; within 25%: ${within(1.25)}; within 50%: ${within(1.5)}. Furthest off: a factor of ${Math.max(...ratios).toFixed(2)}.`,
          '',
        ]),
  ];
  mkdirSync(REPORTS, { recursive: true });
  // What was not checked this time is no reason to forget the last check.
  const name = held.length === 0 ? 'simulate-unchecked' : 'simulate';
  writeFileSync(join(REPORTS, `${name}.md`), lines.join('\n'));
  const raw: Report = { at: new Date().toISOString(), node: process.version, measured, forecasts, held };
  writeFileSync(join(REPORTS, `${name}.json`), `${JSON.stringify(raw, null, 1)}\n`);
  console.log(`Report: bench/reports/${name}.md, raw samples beside it.`);
}
