import { arch, availableParallelism, cpus } from 'node:os';
import { medianOf } from '../../src/model/statistics.ts';
import type { Held } from './hold-against.ts';
import type { MeasuredCosts } from './measure/measure-costs.ts';
import type { Forecast } from './outlook.ts';

/** A forecast as a row of the table. */
export function forecastRow({ work, fleet, run, ms, limit, saturated, tookMs }: Forecast): string {
  const cells = [
    work.name,
    whole(fleet.workers),
    `${figure(run.subtasksPerSecond)}/s`,
    duration(ms),
    figure(run.subtasks / run.chunks),
    share(run.coordinatorUse),
    share(run.redisUse),
    share(run.agentUse),
    `${figure(run.redisPeakBytes / 2 ** 20)} MiB`,
    saturated ? `**${limit}**` : limit,
    `${(run.subtasks / 1e6).toFixed(1)} million in ${figure(tookMs / 1000)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}

export const FORECAST_HEAD = [
  '| subtasks of | workers | throughput | all of it | subtasks a chunk | coordinator in use | Redis in use | agents in use | Redis memory, peak | held down by | simulated |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** The model beside the real thing, as a row. */
export function heldRow({ work, workers, predicted, actual, ratio, limit }: Held): string {
  const cells = [
    work,
    whole(workers),
    `${figure(predicted)}/s`,
    `${figure(medianOf(actual))}/s`,
    `${figure(Math.min(...actual))} to ${figure(Math.max(...actual))}`,
    ratio.toFixed(2),
    limit,
  ];
  return `| ${cells.join(' | ')} |`;
}

export const HELD_HEAD = [
  '| subtasks of | workers | predicted | actual, median | spread | predicted / actual | held down by, says the model |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];

/** What was measured, as a table. Microseconds. */
export function costRows({ costs, explained }: MeasuredCosts): readonly string[] {
  const us = (ms: number) => figure(1000 * ms);
  const of = (name: string, thread: (typeof costs)['coordinator'], fit: readonly number[]) =>
    `| ${[name, us(thread.chunk.each), us(thread.envelope.each), us(thread.chunk.perSubtask + thread.envelope.perSubtask), spread(fit)].join(' | ')} |`;
  return [
    '| processor time in µs | a chunk | an envelope | a subtask | what the fit explains of each run |',
    '| --- | --- | --- | --- | --- |',
    of('coordinator, main thread', costs.coordinator, explained.coordinator),
    of('Redis, main thread', costs.redis, explained.redis),
    of('worker, main thread', costs.worker, explained.worker),
    `| ${['worker, agents beside the work', us(costs.agent.each), '', us(costs.agent.perSubtask), spread(explained.agents)].join(' | ')} |`,
    '',
    `One way to Redis: ${us(medianOf(costs.networkMs))} µs. Until a job is taken up and its end is told, beyond all of that: ${costs.pickUpMs.map((ms) => figure(ms)).join(', ')} ms. An agent's first subtask takes ${figure(costs.coldMs)} ms longer, and a wave begins ${figure(costs.startMs)} ms before its first chunk.`,
    `Redis memory: ${figure(costs.memory.idle / 2 ** 20)} MiB idle, ${whole(costs.memory.perWorker)} B a worker, ${whole(costs.memory.chunk.each)} B a waiting chunk and ${figure(costs.memory.chunk.perSubtask)} B for each of its subtasks, ${whole(costs.memory.envelope.each)} B an envelope and ${figure(costs.memory.envelope.perSubtask)} B for each outcome.`,
  ];
}

/** Which machine this was. */
export function machineLine(): string {
  return `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}, ${arch()}), Node ${process.version}, ${new Date().toISOString()}.`;
}

function spread(values: readonly number[]): string {
  return `${share(Math.min(...values))} to ${share(Math.max(...values))}`;
}

function share(value: number): string {
  return `${(100 * value).toFixed(value < 0.1 ? 1 : 0)}%`;
}

function duration(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 2) return `${figure(ms / 1000)} s`;
  return minutes < 120 ? `${figure(minutes)} min` : `${figure(minutes / 60)} h`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function figure(value: number): string {
  return value >= 100 ? whole(value) : value.toPrecision(3);
}
