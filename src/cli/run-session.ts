import type { FingerprintIndex } from '../checkpoint/fingerprint-index.js';
import type { WatchMemory } from '../checkpoint/up-to-date.js';
import type { Backup } from '../model/run-event.js';

/** What the runs of one session share. */
export interface RunSession {
  readonly memory: WatchMemory;
  /** The index, as long as nobody else writes to it. */
  index: FingerprintIndex | undefined;
  /** Made by the session's first run; the later ones go without. */
  backup: Backup | undefined;
}
