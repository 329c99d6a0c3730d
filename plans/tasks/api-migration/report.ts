type Answer = { readonly tries: number } | null;

/** Adds up what was moved, and how often a server had to be asked again. */
export default function report({
  ids,
  posted,
  verified,
}: {
  ids: number;
  posted: readonly Answer[];
  verified: readonly Answer[];
}) {
  const moved = posted.filter((answer) => answer !== null);
  const checked = verified.filter((answer) => answer !== null);
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
