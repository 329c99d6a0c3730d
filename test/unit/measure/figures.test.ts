import { describe, expect, it } from 'vitest';
import { calibrationOf, type FigureSamples, noSamples } from '../../../src/measure/figures.js';
import { FINGERPRINT } from './calibrations.js';

const ABOUT = { method: 'quick', measured: '2026-03-01T12:00:00.000Z', machine: FINGERPRINT } as const;
const SIZES = [1, 2, 4, 8];

function samples(): FigureSamples {
  const all = noSamples();
  all.waves.modules.push(...SIZES.map((x) => ({ x, y: 0.001 + 0.0002 * x })));
  all.waves.commands.push(...SIZES.map((x) => ({ x, y: 0.002 + 0.0015 * x })));
  all.threadStarts.push({ x: 2, y: 0.035 }, { x: 1, y: 0.03 });
  all.dispatch.modules.push(0.00003);
  all.dispatch.commands.push(0.002, 0.001, 0.0015);
  all.turnaround.modules.push(0.0001);
  all.turnaround.commands.push(0.0003);
  all.barriers.push(0.003);
  return all;
}

describe('calibrationOf', () => {
  it('is the figures behind the samples', () => {
    const found = calibrationOf(samples(), ABOUT);
    expect(found).toMatchObject({ version: 1, ...ABOUT, barrierSeconds: 0.003 });
    expect(found?.modules.secondsPerWave).toBeCloseTo(0.001, 9);
    expect(found?.modules.secondsPerAgent).toBeCloseTo(0.0002, 9);
    expect(found?.commands.secondsPerAgent).toBeCloseTo(0.0015, 9);
    expect(found?.threadStart.first).toBeCloseTo(0.03, 9);
    expect(found?.threadStart.each).toBeCloseTo(0.005, 9);
    expect(found?.dispatchSeconds).toEqual({ modules: 0.00003, commands: 0.0015 });
  });

  it('states the writes of a state folder, and nothing where there was none', () => {
    expect(Object.keys(calibrationOf(samples(), ABOUT) ?? {})).not.toContain('iops');
    const all = samples();
    all.syncedWrites.push(0.0005, 0.0002, 0.00025);
    expect(calibrationOf(all, ABOUT)?.iops).toBeCloseTo(4000, 6);
  });

  it('makes no cost of a thread from a first start that took longer', () => {
    const all = samples();
    all.threadStarts.splice(0, 2, { x: 1, y: 0.04 }, { x: 2, y: 0.03 });
    expect(calibrationOf(all, ABOUT)?.threadStart).toEqual({ first: 0.04, each: 0 });
  });

  it('counts the few slow waves as much as the many quick ones', () => {
    const all = samples();
    // A thousand times the same size in between, off the line of the others.
    all.waves.modules.push(...Array.from({ length: 1000 }, () => ({ x: 8, y: 0.0026 })));
    expect(calibrationOf(all, ABOUT)?.modules.secondsPerAgent).toBeCloseTo(0.0002, 9);
  });

  const emptied: readonly (readonly [string, (all: FigureSamples) => unknown])[] = [
    ['waves of modules', (all) => all.waves.modules.splice(2)],
    ['waves of commands', (all) => all.waves.commands.splice(0)],
    ['starts of threads', (all) => all.threadStarts.splice(1)],
    ['dispatch of modules', (all) => all.dispatch.modules.splice(0)],
    ['dispatch of commands', (all) => all.dispatch.commands.splice(0)],
    ['turnarounds of modules', (all) => all.turnaround.modules.splice(0)],
    ['turnarounds of commands', (all) => all.turnaround.commands.splice(0)],
    ['barriers', (all) => all.barriers.splice(0)],
  ];
  it.each(emptied)('is none without enough %s', (_, empty) => {
    const all = samples();
    empty(all);
    expect(calibrationOf(all, ABOUT)).toBeUndefined();
  });
});
