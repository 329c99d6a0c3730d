import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { MOST_BARS, RunDetailsFold } from '../../../src/report/run-details.js';
import { agentsChanged, finished, runStarted, waveFinished, waveStarted } from './builders.js';

function checkpoint(index: number, overrides: Partial<Checkpoint> = {}): Checkpoint {
  const event = finished('rename', {
    task_id: `rename[${index}]`,
    agent_id: `agent_${(index % 50) + 1}`,
    started: 1000 + index,
    duration_ms: 2,
    ...overrides,
  });
  if (event.type !== 'subtask-finished') throw new Error('not a finish');
  return event.checkpoint;
}

describe('the details of a run', () => {
  it('keep each subtask of a small run, and the slowest first', () => {
    const fold = new RunDetailsFold();
    fold.add(runStarted());
    for (const index of [0, 1, 2])
      fold.addCheckpoint(
        'rename',
        checkpoint(index, { duration_ms: 10 * (index + 1), ...(index === 1 && { status: 'failure' }) }),
      );
    const details = fold.result();
    expect(details.bars).toHaveLength(3);
    expect(details.slowest.map(({ subtask }) => subtask)).toEqual(['rename[2]', 'rename[1]', 'rename[0]']);
    expect(details.spans.get('rename')).toEqual({ from: 0, to: 32 });
    expect(details.finished.reduce((a, b) => a + b, 0)).toBe(2);
    expect(details.failed.reduce((a, b) => a + b, 0)).toBe(1);
  });

  it('stay small in a large run, and count all of it', () => {
    const fold = new RunDetailsFold();
    fold.add(runStarted());
    const count = 50_000;
    for (let index = 0; index < count; index++) fold.addCheckpoint('rename', checkpoint(index, { duration_ms: 2 + (index % 7) }));
    const details = fold.result();
    expect(count).toBeGreaterThan(MOST_BARS);
    expect(details.bars).toBeUndefined();
    expect(details.slowest).toHaveLength(15);
    expect(details.slowest.every(({ durationMs }) => durationMs === 8)).toBe(true);
    expect(details.lanes.length * details.agentsPerLane).toBeGreaterThanOrEqual(50);
    expect(details.lanes.length).toBeLessThanOrEqual(40);
    expect(details.finished.reduce((a, b) => a + b, 0)).toBe(count);
    const busyMs = details.atWork.reduce((a, b) => a + b, 0) * details.columnMs;
    const expected = Array.from({ length: count }, (_, index) => 2 + (index % 7)).reduce((a, b) => a + b, 0);
    expect(busyMs).toBeCloseTo(expected, 0);
    expect(details.durations[0]?.ranges.reduce((sum, range) => sum + range.count, 0)).toBe(count);
    expect(JSON.stringify(details).length).toBeLessThan(200_000);
  });

  it('know when each wave ran and how many agents it had', () => {
    const fold = new RunDetailsFold();
    for (const event of [
      runStarted(),
      { ...waveStarted(1, 9, 4), at: 1500 },
      { ...agentsChanged(1, 4, 6), at: 1600 },
      { ...waveFinished(1, 500), at: 2000 },
    ])
      fold.add(event);
    expect(fold.result().waves).toEqual([
      {
        number: 1,
        name: expect.any(String),
        from: 500,
        to: 1000,
        agents: [
          { at: 500, agents: 4 },
          { at: 600, agents: 6 },
        ],
      },
    ]);
  });
});
