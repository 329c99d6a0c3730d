import type { FingerprintIndex } from '../checkpoint/fingerprint-index.js';
import type { RunManifest } from '../checkpoint/run-store.js';
import type { WatchMemory } from '../checkpoint/watch-memory.js';
import type { RunWavesOptions, RunWavesPorts } from '../execute/ports.js';
import type { RunState } from '../execute/run-state.js';
import type { Backup, RunEvent } from '../model/run-event.js';
import type { CompiledPlan } from './compile-plan.js';
import type { RunPlace } from './run-place.js';
import type { RunSinks } from './run-sinks.js';

/** A run that is over, with all that it had open: further rounds may go on with it. Whoever has it closes the executor. */
export interface OpenRun {
  readonly compiled: CompiledPlan;
  readonly place: RunPlace;
  readonly manifest: RunManifest;
  readonly options: RunWavesOptions;
  readonly ports: RunWavesPorts;
  readonly state: RunState;
  readonly sinks: RunSinks;
  readonly started: Extract<RunEvent, { type: 'run-started' }>;
}

/** What the runs of one session share. */
export interface RunSession {
  readonly memory: WatchMemory;
  /** The index, as long as nobody else writes to it. */
  index: FingerprintIndex | undefined;
  /** Made by the session's first run; the later ones go without. */
  backup: Backup | undefined;
  /** Given each run of which all is recorded. */
  readonly keep: (run: OpenRun) => void;
}
