import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TaskType } from '../../../src/model/scaling-decision.js';
import { loadMethodology } from '../../../src/plan/methodology.js';
import { formulaAgents } from '../../../src/scaling/formula.js';
import { returnOnAgents } from '../../../src/scaling/roi.js';

interface GoldenCase {
  readonly subtasks: number;
  readonly width: number;
  readonly avgMinutes: number;
  readonly type: TaskType;
  readonly overheadSeconds: number;
  readonly cores: number;
  readonly ratePerMinute: number | null;
  readonly expect: unknown;
}

const CASES = JSON.parse(readFileSync(new URL('../../golden/scaling.json', import.meta.url), 'utf8')) as GoldenCase[];
const loaded = loadMethodology();
if (!loaded.ok) throw new Error('the built-in methodology does not load');
const rules = loaded.value;

describe('the formula', () => {
  it.each(CASES)('golden case %#: $subtasks × $avgMinutes min, $width wide, $type', (golden) => {
    const { subtasks, width, avgMinutes, type, overheadSeconds, cores, ratePerMinute } = golden;
    const limits = {
      ratePerMinute: ratePerMinute ?? undefined,
      connections: undefined,
      iops: undefined,
      memoryPerAgentBytes: undefined,
    };
    const { agents, phase } = formulaAgents(
      { subtasks, widestWave: width, averageMinutes: avgMinutes, type, overheadSeconds, limits },
      rules,
      { cores, memoryBytes: 16e9 },
    );
    const roi = returnOnAgents(agents, { subtasks, averageMinutes: avgMinutes, overheadSeconds }, rules);
    const found = {
      agents,
      phase,
      timeSavedMinutes: Number(roi.timeSavedMinutes.toFixed(6)),
      roiRatio: Number(roi.ratio.toFixed(6)),
      band: roi.band,
    };
    expect(found).toEqual(golden.expect);
  });
});
