import type { Calibration, MachineFingerprint } from '../../../src/scaling/calibration.js';

export const FINGERPRINT: MachineFingerprint = {
  cpu: 'Example 9000',
  cores: 2,
  memoryBytes: 16e9,
  arch: 'x64',
  node: 'v20.20.0',
  waveplan: '0.1.0',
};

export function calibration(overrides: Partial<Calibration> = {}): Calibration {
  return {
    version: 1,
    method: 'bench',
    measured: '2026-03-01T12:00:00.000Z',
    machine: FINGERPRINT,
    modules: { secondsPerWave: 0.0001, secondsPerAgent: 0.00002, low: 0.000018, high: 0.000022 },
    commands: { secondsPerWave: 0.0005, secondsPerAgent: 0.0018, low: 0.0017, high: 0.0019 },
    threadStart: { first: 0.025, each: 0.014 },
    dispatchSeconds: { modules: 0.00003, commands: 0.0018 },
    turnaroundSeconds: { modules: 0.00006, commands: 0.0002 },
    barrierSeconds: 0.0009,
    iops: 4700,
    ...overrides,
  };
}
