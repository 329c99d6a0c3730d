import { join } from 'node:path';
import validateCalibrations from '#validators/calibration';
import { err, ok, type Result } from '../model/result.js';
import type { Calibration, MachineFingerprint } from '../scaling/calibration.js';
import { writeFileAtomic } from './atomic-file.js';
import { type EnvironmentProblem, errnoOf, systemProblem } from './problem.js';
import { readStateJson } from './state-file.js';

/** What the state folder knows of a machine's overhead. */
export interface CalibrationLookup {
  /** Absent where this very machine was not measured yet. */
  readonly calibration: Calibration | undefined;
  /** Why the file could not be used, for people; absent where it could, or where there is none. */
  readonly warning: string | undefined;
}

/** The calibration of an equal machine. One of another machine, Node, waveplan or share of a machine is never returned. */
export async function readCalibration(stateDir: string, machine: MachineFingerprint): Promise<Calibration | undefined> {
  return (await lookUpCalibration(stateDir, machine)).calibration;
}

/** The same, with a word on a file that cannot be used: it counts as absent, because what it holds can be measured again. */
export async function lookUpCalibration(stateDir: string, machine: MachineFingerprint): Promise<CalibrationLookup> {
  const { calibrations, warning } = await readAll(stateDir);
  return { calibration: calibrations.find((calibration) => isSame(calibration.machine, machine)), warning };
}

/** Stores a calibration in place of the one of an equal machine; those of others are kept. A damaged file is replaced. */
export async function writeCalibration(stateDir: string, calibration: Calibration): Promise<Result<void, EnvironmentProblem>> {
  const path = calibrationFile(stateDir);
  const { calibrations } = await readAll(stateDir);
  const others = calibrations.filter(({ machine }) => !isSame(machine, calibration.machine));
  try {
    const text = JSON.stringify({ version: 1, calibrations: [...others, calibration] }, null, 2);
    await writeFileAtomic(path, `${text}\n`, { sync: true });
    return ok(undefined);
  } catch (error) {
    return err(systemProblem(`write ${path}`, error));
  }
}

/** Where a state folder keeps its calibrations. */
export function calibrationFile(stateDir: string): string {
  return join(stateDir, 'calibration.json');
}

async function readAll(stateDir: string): Promise<{ readonly calibrations: readonly Calibration[]; readonly warning?: string }> {
  const path = calibrationFile(stateDir);
  let value: unknown;
  try {
    value = await readStateJson(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return { calibrations: [] };
    return { calibrations: [], warning: systemProblem(`read ${path}`, error).message };
  }
  if (validateCalibrations(value)) return { calibrations: value.calibrations };
  return { calibrations: [], warning: `${path} is damaged and is not used; waveplan bench measures anew` };
}

function isSame(a: MachineFingerprint, b: MachineFingerprint): boolean {
  return FIELDS.every((field) => a[field] === b[field]);
}

/** Total, so that a new field of the fingerprint counts from the start. */
const FIELDS = Object.keys({
  cpu: true,
  cores: true,
  memoryBytes: true,
  arch: true,
  node: true,
  waveplan: true,
} satisfies Record<keyof MachineFingerprint, true>) as readonly (keyof MachineFingerprint)[];
