import { distance } from 'fastest-levenshtein';

/** Beyond this many candidates a search is not worth its time: hints help people, and people write short lists. */
const MAX_CANDIDATES = 10_000;

/**
 * The candidate that `name` was most likely meant to be, for 'did you mean' hints; `undefined` where none is near.
 * Case does not count. Near is: at most two edits in five letters, and names of one or two letters match by case only.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  const limit = wanted.length < 3 ? 0 : Math.max(1, Math.round(wanted.length * 0.4));
  let best: string | undefined;
  let bestDistance = limit + 1;
  let seen = 0;
  for (const candidate of candidates) {
    seen += 1;
    if (seen > MAX_CANDIDATES || bestDistance === 0) break;
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

/** The hint for a mistyped name, or `undefined` where nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = closest(name, candidates);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}
