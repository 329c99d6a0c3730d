import { describe, expect, it } from 'vitest';
import { capacityOf } from '../../../src/scaling/capacity.js';
import { readMachine } from '../../../src/scaling/machine.js';
import { DEFAULT_RULES, MACHINE, NO_LIMITS } from './inputs.js';

describe('capacityOf', () => {
  it.each([
    ['computation', NO_LIMITS, 8, 'cores'],
    ['general', NO_LIMITS, 32, 'memory'],
    ['code_analysis', NO_LIMITS, 32, 'memory'],
    ['database_operations', NO_LIMITS, 32, 'memory'],
    ['file_operations', NO_LIMITS, 10_000, 'iops'],
    ['file_operations', { ...NO_LIMITS, iops: 50 }, 50, 'iops'],
    ['network_operations', NO_LIMITS, 5000, 'connections'],
    ['network_operations', { ...NO_LIMITS, connections: 50 }, 50, 'connections'],
    ['api_calls', NO_LIMITS, 5000, 'connections'],
    ['api_calls', { ...NO_LIMITS, connections: 50 }, 50, 'connections'],
    ['api_calls', { ...NO_LIMITS, connections: 50, ratePerMinute: 1000 }, 1000, 'rate'],
  ] as const)('%s with %o: %i by %s', (type, limits, agents, limit) => {
    expect(capacityOf(type, limits, DEFAULT_RULES, MACHINE)).toMatchObject({ agents, limit });
  });

  it('lets declared memory bound every type, where it is the tighter bound', () => {
    const limits = { ...NO_LIMITS, memoryPerAgentBytes: 4e9 };
    expect(capacityOf('computation', limits, DEFAULT_RULES, MACHINE)).toMatchObject({ agents: 4, limit: 'memory' });
    const little = { ...NO_LIMITS, memoryPerAgentBytes: 1e6 };
    expect(capacityOf('computation', little, DEFAULT_RULES, MACHINE)).toMatchObject({ agents: 8, limit: 'cores' });
  });

  it('carries at least one agent', () => {
    expect(capacityOf('general', NO_LIMITS, DEFAULT_RULES, { cores: 1, memoryBytes: 1e6 }).agents).toBe(1);
    expect(capacityOf('api_calls', { ...NO_LIMITS, ratePerMinute: 0.1 }, DEFAULT_RULES, MACHINE).agents).toBe(1);
  });

  it('says why in words', () => {
    expect(capacityOf('computation', NO_LIMITS, DEFAULT_RULES, MACHINE).reason).toBe('4 × 2 cores');
    expect(capacityOf('general', NO_LIMITS, DEFAULT_RULES, MACHINE).reason).toBe('16.0 GB at 500 MB an agent');
  });
});

describe('readMachine', () => {
  it('has whole cores and some memory', () => {
    const { cores, memoryBytes } = readMachine();
    expect(Number.isInteger(cores) && cores >= 1).toBe(true);
    expect(Number.isFinite(memoryBytes) && memoryBytes > 0).toBe(true);
  });
});
