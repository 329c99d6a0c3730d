import type { WaveCheck } from '../model/run-event.js';
import { isAbove } from './failure-policy.js';
import type { StopReason } from './run-control.js';

/** What was found when a wave's checkpoints were read back. */
export interface WaveTally {
  /** Distinct subtasks with a checkpoint. */
  readonly recorded: number;
  readonly failed: number;
}

/**
 * The check between waves: missing checkpoints are INCOMPLETE, a share of failures above `majorShare`
 * (0.1 in the methodology) is FAILED, anything else READY.
 */
export function checkWave(
  expected: number,
  tally: WaveTally,
  majorShare: number,
  isolated: { readonly subtasks: number; readonly failed: number } = { subtasks: 0, failed: 0 },
): WaveCheck {
  const { recorded, failed } = tally;
  const found = { expected, recorded, failed };
  if (recorded < expected) {
    return { verdict: 'INCOMPLETE', ...found, reason: `${expected - recorded} of ${expected} checkpoints are missing` };
  }
  const apart = Math.min(failed, isolated.failed);
  if (apart > 0) {
    const rest = `${failed - apart} of the other ${expected - isolated.subtasks}`;
    const reason = `${apart} failed where failures gather and were set apart; ${rest} failed`;
    return { verdict: isAbove(failed - apart, expected - isolated.subtasks, majorShare) ? 'FAILED' : 'READY', ...found, reason };
  }
  if (isAbove(failed, expected, majorShare)) {
    return { verdict: 'FAILED', ...found, reason: `${failed} of ${expected} failed, more than ${percent(majorShare)}` };
  }
  const reason =
    failed === 0
      ? `${recorded} of ${expected} checkpoints verified`
      : `${failed} of ${expected} failed, within ${percent(majorShare)}`;
  return { verdict: 'READY', ...found, reason };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

/** Checks a wave's checkpoints as they are on disk. */
export async function waveCheck(
  { verifyWave }: { readonly verifyWave: (wave: number) => Promise<WaveTally> },
  { majorShare }: { readonly majorShare: number },
  wave: number,
  at: { readonly expected: number; readonly isolated?: { readonly subtasks: number; readonly failed: number } },
): Promise<WaveCheck> {
  return checkWave(at.expected, await verifyWave(wave), majorShare, at.isolated);
}

/** How a check ends the run; undefined where the run goes on, as it does with too many failures if it is to keep going. */
export function endOfCheck(
  wave: number,
  { verdict, reason }: WaveCheck,
  { keepGoing }: { readonly keepGoing: boolean } = { keepGoing: false },
): StopReason | undefined {
  switch (verdict) {
    case 'READY':
      return undefined;
    case 'FAILED':
      if (keepGoing) return undefined;
      return { status: 'failed', reason: `wave ${wave}: ${reason}` };
    case 'INCOMPLETE':
      return { status: 'broken', reason: `wave ${wave}: ${reason}` };
  }
}

/** How a run ends of which every wave is complete and some subtasks failed. */
export function failuresEnd(failures: number): StopReason | undefined {
  if (failures === 0) return undefined;
  return { status: 'failed', reason: `${failures} ${failures === 1 ? 'subtask' : 'subtasks'} failed` };
}
