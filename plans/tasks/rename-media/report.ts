/** What was renamed, and what the two checks found. */
export default function report(input: {
  readonly found: number;
  readonly renamed: number;
  readonly checked: readonly { readonly checked: number }[];
  readonly after: number;
}) {
  const checked = input.checked.reduce((sum, batch) => sum + batch.checked, 0);
  return {
    ...input,
    checked,
    summary: [
      input.renamed === 0 ? 'Nothing to do: every image has such a name' : `Renamed ${input.renamed} of ${input.found} images`,
      `Checked: ${checked} files have the new name and their old content; ${input.after} images are there, as before`,
      'Undo: waveplan restore',
    ],
  };
}
