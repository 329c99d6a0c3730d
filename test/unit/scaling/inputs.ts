import fc from 'fast-check';
import { TASK_TYPES, type TaskType } from '../../../src/model/scaling-decision.js';
import type { ScalingInput } from '../../../src/scaling/decide.js';
import type { WaveWork } from '../../../src/scaling/fit.js';
import type { MachineProfile } from '../../../src/scaling/machine.js';
import type { ScalingLimits, ScalingRules } from '../../../src/scaling/rules.js';

/** The methodology's figures, stated here again so that a change of its file shows. */
export const DEFAULT_RULES: ScalingRules = {
  iops: 10_000,
  connections: 5000,
  computationAgentsPerCore: 4,
  memoryPerAgentBytes: 500e6,
  microTask: { belowMinutes: 1, overheadShare: 0.1 },
  longTask: { aboveMinutes: 30 },
  roiBands: { excellent: 100, good: 10, marginal: 2 },
  fitTolerance: 0.02,
};

export const NO_LIMITS: ScalingLimits = {
  ratePerMinute: undefined,
  connections: undefined,
  iops: undefined,
  memoryPerAgentBytes: undefined,
};

export const MACHINE: MachineProfile = { cores: 2, memoryBytes: 16e9 };

/** So many subtasks in one wave, of so many seconds each; 0.3 s of overhead an agent. */
export function input(subtasks: number, seconds: number, overrides: Partial<ScalingInput> = {}): ScalingInput {
  return {
    requested: undefined,
    subtasks,
    widestWave: subtasks,
    averageMinutes: seconds / 60,
    waves: [{ subtasks, seconds }],
    type: 'general',
    overhead: { secondsPerAgent: 0.3, secondsPerWave: 0, source: 'methodology' },
    limits: NO_LIMITS,
    ...overrides,
  };
}

/** As the run's own input: the totals are those of the waves. */
export function inputOfWaves(waves: readonly WaveWork[], overrides: Partial<ScalingInput> = {}): ScalingInput {
  const subtasks = waves.reduce((sum, wave) => sum + wave.subtasks, 0);
  const seconds = waves.reduce((sum, wave) => sum + wave.subtasks * wave.seconds, 0);
  return {
    ...input(subtasks, subtasks === 0 ? 0 : seconds / subtasks, overrides),
    widestWave: Math.max(0, ...waves.map((wave) => wave.subtasks)),
    waves,
  };
}

const duration = fc.constantFrom(0.001, 0.05, 0.5, 1, 3, 5, 45, 120, 2000, 7200);

export const taskTypes: fc.Arbitrary<TaskType> = fc.constantFrom(...TASK_TYPES);

export const machines: fc.Arbitrary<MachineProfile> = fc.record({
  cores: fc.integer({ min: 1, max: 128 }),
  memoryBytes: fc.integer({ min: 1e8, max: 1e12 }),
});

const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined });

export const limits: fc.Arbitrary<ScalingLimits> = fc.record({
  ratePerMinute: maybe(fc.constantFrom(0.5, 1, 60, 1000, 1e6)),
  connections: maybe(fc.integer({ min: 1, max: 10_000 })),
  iops: maybe(fc.integer({ min: 1, max: 100_000 })),
  memoryPerAgentBytes: maybe(fc.integer({ min: 1e6, max: 1e11 })),
});

/** Waves of up to 900 subtasks each; overheads from none to much. */
export const inputs: fc.Arbitrary<ScalingInput> = fc
  .record({
    waves: fc.array(fc.record({ subtasks: fc.integer({ min: 1, max: 900 }), seconds: duration }), { minLength: 1, maxLength: 5 }),
    type: taskTypes,
    secondsPerAgent: fc.constantFrom(0, 0.000_05, 0.002, 0.3, 1.5, 20),
    secondsPerWave: fc.constantFrom(0, 0.05, 2),
    limits,
  })
  .map(({ waves, type, secondsPerAgent, secondsPerWave, limits: declared }) =>
    inputOfWaves(waves, { type, limits: declared, overhead: { secondsPerAgent, secondsPerWave, source: 'given' } }),
  );
