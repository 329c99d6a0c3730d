import type { FinishedIndex, JournalEnds } from '../checkpoint/finished-index.js';
import type { RunManifest } from '../checkpoint/run-store.js';
import type { RunFolders, Workspace } from '../checkpoint/workspace.js';
import type { FinishedSubtasks } from '../execute/finished.js';
import type { TimeLine } from '../model/clock.js';
import type { Mask } from '../model/mask.js';

/** What a run has when its state folder is locked. */
export interface RunPlace extends RunFolders {
  readonly workspace: Workspace;
  readonly run: string;
  readonly timeLine: TimeLine;
  readonly mask: Mask;
  readonly warnings: readonly string[];
  /** The run under whose lock this one works. */
  readonly within?: string | undefined;
  /** Absent in a run that begins. */
  readonly soFar?: RunSoFar;
}

/** What a run that is resumed has behind it. */
export interface RunSoFar {
  readonly manifest: RunManifest;
  readonly finished: FinishedSubtasks;
  /** Subtasks with a record that counts, and the failed among them. */
  readonly counts: { readonly finished: number; readonly failed: number };
  readonly failedRunAgain: boolean;
  readonly outdated: ReadonlyMap<string, string>;
  /** The records of earlier parts; those of subtasks that the plan no longer has are dropped as the run comes to know them. */
  readonly index: Pick<FinishedIndex, 'isCurrent'>;
  readonly ends: JournalEnds;
  readonly leftovers: number;
}
