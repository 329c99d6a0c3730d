import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROJECT, waveplan } from '../support/cli.js';

interface GoldenCase {
  readonly subtasks: number;
  readonly width: number;
  readonly avgMinutes: number;
  readonly type: string;
  readonly overheadSeconds: number;
  readonly cores: number;
  readonly ratePerMinute: number | null;
  readonly expect: {
    readonly agents: number;
    readonly phase: string;
    readonly timeSavedMinutes: number;
    readonly roiRatio: number;
    readonly band: string;
  };
}

const CASES = JSON.parse(readFileSync(new URL('../golden/scaling.json', import.meta.url), 'utf8')) as GoldenCase[];

async function scale(golden: GoldenCase) {
  const args = [
    'scale',
    '--json',
    '--subtasks',
    `${golden.subtasks}`,
    '--width',
    `${golden.width}`,
    '--avg',
    `${golden.avgMinutes}m`,
  ];
  args.push('--type', golden.type, '--overhead', `${golden.overheadSeconds}s`, '--cores', `${golden.cores}`);
  if (golden.ratePerMinute !== null) args.push('--rate', `${golden.ratePerMinute}/min`);
  const done = await waveplan(args, { cwd: PROJECT });
  expect(done.code, done.text).toBe(0);
  return JSON.parse(done.stdout);
}

describe('scale --json', () => {
  it('has the 160 cases', () => expect(CASES).toHaveLength(160));

  // Each is a whole start of the command, a few at a time; the decision itself is held against all of them in golden.test.ts.
  it('meets every fourth golden case', async () => {
    const open = CASES.filter((_, i) => i % 4 === 0);
    const work = async () => {
      for (let golden = open.pop(); golden !== undefined; golden = open.pop()) {
        const decision = await scale(golden);
        const found = {
          agents: decision.formula.agents,
          phase: decision.formula.phase,
          timeSavedMinutes: Number(decision.roi.timeSavedMinutes.toFixed(6)),
          roiRatio: Number(decision.roi.ratio.toFixed(6)),
          band: decision.roi.band,
        };
        expect(found, JSON.stringify(golden)).toEqual({ ...golden.expect });
      }
    };
    await Promise.all([work(), work(), work()]);
  }, 120_000);

  it('obeys an override and warns above the capacity', async () => {
    const args = ['scale', '--subtasks', '1000', '--width', '1000', '--avg', '3s', '--type', 'computation', '--cores', '2'];
    const done = await waveplan([...args, '--agents', '50'], { cwd: PROJECT });
    expect(done.code).toBe(0);
    expect(done.text).toContain('Requested 50 agents exceeds safe capacity (8)');
    const json = JSON.parse((await waveplan([...args, '--agents', '50', '--json'], { cwd: PROJECT })).stdout);
    expect(json).toMatchObject({ mode: 'USER_OVERRIDE', capacity: 8, decided: { agents: 50 } });
  });

  it('refuses figures that make no sense, all at once', async () => {
    const done = await waveplan(['scale', '--subtasks', '0', '--width', '-1', '--avg', 'soon', '--type', 'magic'], {
      cwd: PROJECT,
    });
    expect(done.code).toBe(2);
    for (const name of ['--subtasks', '--width', '--avg', '--type']) expect(done.stderr).toContain(name);
  });
});
