import { describe, expect, it } from 'vitest';
import { groupWaves } from '../../../src/graph/waves.js';
import { History, type HistoryRecord, type TaskRecord } from '../../../src/scaling/history.js';
import { summarizeWorkload, waveKey } from '../../../src/scaling/workload.js';
import { FAN_OUT, graphOf } from '../graph/graphs.js';

const HERE = 'this machine';

const record = (ms: number, more: Partial<TaskRecord> = {}): TaskRecord => ({
  kind: 'task',
  key: 'the task',
  machine: HERE,
  at: '2026-01-01T00:00:00.000Z',
  task: 'each',
  subtasks: 100,
  mean_ms: ms,
  median_ms: ms,
  quartile_range_ms: 0,
  max_ms: 2 * ms,
  cpu_share: 0,
  ...more,
});

const known = (...milliseconds: readonly number[]) =>
  new History(
    milliseconds.map((ms) => record(ms)),
    HERE,
  ).task('the task');

describe('what the history knows of a task', () => {
  it('is its middle run, of the newest five', () => {
    expect(known(100, 130, 110)).toMatchObject({ runs: 3, meanSeconds: 0.11, longestSeconds: 0.22 });
    expect(known(300, 100, 101, 102, 103, 104)).toMatchObject({ runs: 5, meanSeconds: 0.102 });
  });

  it.each<[string, readonly number[], number]>([
    ['slower', [5, 5, 5, 200], 0.2],
    ['slower twice', [5, 5, 5, 200, 210], 0.2],
    ['quicker', [200, 210, 220, 5], 0.005],
    ['as before, after one that was held up', [100, 100, 1000, 100], 0.1],
  ])('is of the work as it was last: %s', (_, milliseconds, seconds) => {
    expect(known(...milliseconds)?.meanSeconds).toBe(seconds);
  });

  it('is of all runs where the difference is too small to matter', () => {
    expect(known(0.1, 0.1, 1)).toMatchObject({ runs: 3, meanSeconds: 0.0001 });
  });

  it('is nothing of other tasks and other machines', () => {
    const history = new History([record(1, { key: 'another' }), record(1, { machine: 'another' })], HERE);
    expect(history.task('the task')).toBeUndefined();
  });
});

describe('what the history knows of a wave', () => {
  it('is left aside where its work was measured to be other work', () => {
    const graph = graphOf([{ id: 'each', foreach: FAN_OUT }]);
    const waves = groupWaves(graph);
    const key = waveKey(graph.nodes.map(({ task }) => task));
    const records: HistoryRecord[] = [
      record(5, { key: graph.nodes[0]?.task.hash ?? '' }),
      { kind: 'wave', key, machine: HERE, at: '2026-01-01T00:00:00.000Z', extra_seconds: 3, useful_agents: 4 },
    ];
    const history = new History(records, HERE);
    const counts = new Map([[0, 10]]);
    expect(summarizeWorkload(graph, waves, counts, { history }).waves[0]).toMatchObject({ extraSeconds: 3, usefulAgents: 4 });
    const probes = new Map([[0, { seconds: 0.2, cpuShare: 0, source: 'probe' as const }]]);
    const [wave] = summarizeWorkload(graph, waves, counts, { history, probes }).waves;
    expect(wave).toEqual({ subtasks: 10, seconds: 0.2, cpuShare: 0 });
  });
});
