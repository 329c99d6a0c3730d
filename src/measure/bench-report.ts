import type { Spread } from '../model/statistics.js';
import type { Calibration } from '../scaling/calibration.js';
import type { MachineProfile } from '../scaling/machine.js';

/** One thing that was measured. Milliseconds. */
export interface BenchRow extends Spread {
  /** Stable, to compare reports by. */
  readonly id: string;
  /** What it is, for people. */
  readonly name: string;
  /** Every sample, rounded to nanoseconds, in ascending order. */
  readonly samples: readonly number[];
}

/** What ran the bench. */
export interface BenchVersions {
  readonly waveplan: string;
  readonly node: string;
  readonly v8: string;
  readonly uv: string;
  /** System and its release, such as `linux 6.1.0`. */
  readonly system: string;
}

/** A bench: `report.json`. */
export interface BenchReport {
  readonly version: 1;
  /** ISO 8601, UTC. */
  readonly measured: string;
  /** Asked for, in milliseconds. */
  readonly durationMs: number;
  readonly machine: MachineProfile & { readonly cpu: string; readonly arch: string };
  readonly versions: BenchVersions;
  readonly rows: readonly BenchRow[];
  readonly calibration: Calibration;
}

/** A report read back; `undefined` where the value is none. Only what a comparison needs is looked at. */
export function asBenchReport(value: unknown): BenchReport | undefined {
  if (!isObject(value) || value['version'] !== 1 || !Array.isArray(value['rows'])) return undefined;
  const { measured, machine, versions, rows } = value;
  const isText = typeof measured === 'string' && isObject(machine) && typeof machine['cpu'] === 'string' && isObject(versions);
  // Every field that is used was looked at; the compiler cannot follow that through the rows.
  return isText && rows.every(isRow) ? (value as unknown as BenchReport) : undefined;
}

function isRow(row: unknown): boolean {
  if (!isObject(row) || typeof row['id'] !== 'string' || typeof row['name'] !== 'string') return false;
  const { samples } = row;
  return Array.isArray(samples) && samples.length > 0 && samples.every((sample) => Number.isFinite(sample));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
