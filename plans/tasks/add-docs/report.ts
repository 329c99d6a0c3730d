import type { ChangedFile } from './document.ts';

/** What the writers and the checkers returned, one entry a batch. */
export type ReportInput = {
  readonly documented: readonly { readonly files: number; readonly changed: readonly ChangedFile[] }[];
  readonly checked: readonly { readonly files: number; readonly functions: number }[];
};

/** Adds up what was done, and what the check found independently of it. */
export default function report({ documented, checked }: ReportInput) {
  const changed = documented.flatMap((batch) => batch.changed);
  const added = sum(changed.map((file) => file.added.length));
  const files = sum(checked.map((batch) => batch.files));
  const functions = sum(checked.map((batch) => batch.functions));

  const deed =
    added === 0 ? 'Nothing to do: no file was changed' : `Added ${added} doc comments to ${changed.length} of ${files} files`;
  const most = changed.toSorted((a, b) => b.added.length - a.added.length).slice(0, 3);
  return {
    files,
    functions,
    changed: changed.length,
    added,
    summary: [
      deed,
      ...(most.length > 0 ? [`Most in ${most.map((file) => `${file.file} (${file.added.length})`).join(', ')}`] : []),
      `Checked: ${files} files parse, all ${functions} functions have a doc comment, and the code is what was committed`,
    ],
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
