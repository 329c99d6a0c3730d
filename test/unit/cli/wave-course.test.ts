import { describe, expect, it } from 'vitest';
import { WaveCourse } from '../../../src/cli/wave-course.js';
import type { RunEvent } from '../../../src/model/run-event.js';
import type { TaskType } from '../../../src/model/scaling-decision.js';

type Event<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

const started: Event<'wave-started'> = {
  type: 'wave-started',
  at: 1000,
  wave: 1,
  name: 'Work',
  agents: 4,
  threads: 2,
  subtasks: 100,
};
const changed = (at: number, to: number, more: Partial<Event<'agents-changed'>> = {}): Event<'agents-changed'> => ({
  type: 'agents-changed',
  at,
  wave: 1,
  from: 4,
  to,
  reason: 'a test',
  ...more,
});
const finished: Event<'wave-finished'> = {
  type: 'wave-finished',
  at: 4000,
  wave: 1,
  durationMs: 3250,
  check: { verdict: 'READY', expected: 100, recorded: 100, failed: 0, reason: 'all are there' },
};

const MEASURES = { cpuSeconds: 0, busySeconds: 1, idleSeconds: 0, checkSeconds: 0, leadSeconds: 0 };
const MACHINE = { cores: 2, type: 'general' } as const;
const some = (count: number, ms: number) => new Array<number>(count).fill(ms);

describe('WaveCourse', () => {
  it('adds the time of its agents up over every change of their number', () => {
    const course = new WaveCourse(started, 0.1, MACHINE);
    course.changed(changed(2000, 8));
    course.changed(changed(3000, 6));
    course.finished(finished);
    expect(course.agentSeconds).toBe(4 + 8 + 6);
    expect(course.agents).toBe(6);
  });

  it('tells how much later than predicted the wave began', () => {
    const course = new WaveCourse(started, 0.1, MACHINE);
    course.finished(finished);
    expect(course.lateStartSeconds).toBeCloseTo(0.15);
  });

  it('tells of the work since the last change, where there was enough for each agent', () => {
    const course = new WaveCourse(started, 0, MACHINE);
    course.ended(1500, some(20, 20));
    course.changed(changed(2000, 2, { settled: true }));
    course.ended(3500, some(15, 10));
    course.finished(finished);
    expect(course.sinceChange).toBeUndefined();
    course.ended(3600, some(1, 10));
    expect(course.sinceChange).toEqual({ subtasks: 16, busySeconds: 0.16, wallSeconds: 2 });
    expect(course.usefulAgents).toBe(2);
    expect(course.meanSeconds).toBeCloseTo(0.56 / 36);
  });

  it('takes agents for enough that brought little more than fewer did', () => {
    const usefulAfter = (subtasks: number, longestMs = 10, cpuSeconds = 0, type: TaskType = 'general') => {
      const course = new WaveCourse(started, 0, { cores: 2, type });
      course.ended(1000, some(4, 10));
      course.ended(2000, some(100, 10));
      course.changed(changed(2000, 8));
      course.ended(4000, [...some(subtasks - 1, 10), longestMs]);
      course.finished({ ...finished, measured: { ...MEASURES, cpuSeconds } });
      return course.usefulAgents;
    };
    // 100 a second on 4 agents; in two seconds on 8, 400 would be twice as many.
    expect([usefulAfter(400), usefulAfter(320), usefulAfter(280), usefulAfter(220)]).toEqual([undefined, undefined, 8, 8]);
    // Of work of several lengths, the long ones come late.
    expect(usefulAfter(220, 100)).toBeUndefined();
    // Busy cores explain it: three seconds of two cores. Files share a disk as well.
    expect(usefulAfter(220, 10, 2.9)).toBe(8);
    expect(usefulAfter(220, 10, 3.1)).toBeUndefined();
    expect(usefulAfter(220, 10, 3.1, 'file_operations')).toBe(8);
  });
});
