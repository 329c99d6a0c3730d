import { isDeepStrictEqual } from 'node:util';
import type { NewUser } from './transform.ts';

type Answer = { readonly tries: number; readonly body?: unknown } | null;

/** Adds up what was moved, holds what was read back against what was sent, and says how often a server had to be asked again. */
export default function report({
  ids,
  posted,
  sent,
  verified,
}: {
  ids: number;
  posted: readonly Answer[];
  sent: readonly (NewUser | null)[];
  verified: readonly Answer[];
}) {
  const moved = posted.filter((answer) => answer !== null);
  const checked = verified.filter((answer) => answer !== null);
  const other = verified.flatMap((answer, i) =>
    answer !== null && !isDeepStrictEqual(answer.body, sent[i]) ? [sent[i]?.id] : [],
  );
  if (other.length > 0) throw new Error(`${other.length} users are not what was sent, such as ${other[0]}`);
  const again = [...moved, ...checked].reduce((sum, { tries }) => sum + tries - 1, 0);
  return {
    users: ids,
    moved: moved.length,
    verified: checked.length,
    again,
    summary: [
      `Moved ${moved.length} of ${ids} users; ${checked.length} were read back from the new API and are what was sent`,
      again === 0 ? 'No request had to be made again' : `${again} requests were made again after 429, 503 or a broken connection`,
    ],
  };
}
