import type { OtherMachines } from './analysis.js';
import { counted, figure, humanDuration } from './figures.js';

/** Below this share of the time, other machines are worth their trouble. */
const WORTH = 0.9;

/** Whether other machines pay off for a plan, in words. */
export function otherMachinesText({ on, workers, here, there }: OtherMachines): string {
  const pays = there.seconds < WORTH * here.seconds;
  const apart = `${timeOn(here)} on this machine, ${timeOn(there)} on ${on === 'this' ? 'it and another like it' : counted(workers, 'worker')}`;
  const times = pays ? `, ${figure(here.seconds / there.seconds)} times as fast` : '';
  const verdict =
    on === 'this' ? (pays ? 'another would pay off' : 'another would not pay off') : pays ? 'they pay off' : NOT_WORTH;
  return `${verdict}${times} (predicted: ${apart})`;
}

const NOT_WORTH = 'they do not pay off: --executor threads';

function timeOn({ agents, seconds }: OtherMachines['here']): string {
  return `${humanDuration(seconds * 1000)} with ${counted(agents, 'agent')}`;
}
