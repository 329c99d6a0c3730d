import type { Dispatcher } from './dispatcher.js';
import type { RunWavesPorts } from './ports.js';

/**
 * Keeps a dispatcher within the agents that there are on other machines while these come and go, and tells of each change.
 * The returned function ends that.
 * @param wanted how many agents pay off, asked again whenever there are more or fewer.
 */
export function followCapacity(
  dispatcher: Dispatcher,
  { executor, emit, clock }: Pick<RunWavesPorts, 'executor' | 'emit' | 'clock'>,
  { wave, wanted }: { readonly wave: number; readonly wanted: () => number },
): () => void {
  const { capacity } = executor;
  if (capacity === undefined) return () => {};
  dispatcher.roomFor(capacity.agents);
  return capacity.listen(() => {
    const from = dispatcher.agents;
    dispatcher.roomFor(capacity.agents);
    dispatcher.resize(wanted());
    const to = dispatcher.agents;
    if (to !== from) emit({ type: 'agents-changed', at: clock.now(), wave, from, to, reason: capacity.reason });
  });
}
