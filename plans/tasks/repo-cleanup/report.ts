type Cleaned = { readonly exports: number; readonly imports: number; readonly rewired: number };

/** What was cleaned, in figures. */
export default function report(input: {
  readonly counts: { readonly files: number; readonly empty: number; readonly duplicates: number };
  readonly cleaned: readonly Cleaned[];
  readonly whitespace: readonly { readonly changed: readonly string[] }[];
  readonly tests: number;
}) {
  const sum = (of: (one: Cleaned) => number) => input.cleaned.reduce((total, one) => total + of(one), 0);
  const exports = sum((one) => one.exports);
  const imports = sum((one) => one.imports);
  const texts = input.whitespace.reduce((total, { changed }) => total + changed.length, 0);
  const { files, empty, duplicates } = input.counts;
  const nothing = empty + duplicates + exports + imports + texts === 0;
  return {
    empty,
    duplicates,
    exports,
    imports,
    texts,
    summary: nothing
      ? [`Nothing to do: ${files} files are clean; all ${input.tests} test files pass`]
      : [
          `Removed ${duplicates} duplicates and ${empty} empty files of ${files}; ${sum((one) => one.rewired)} imports now name the file that stayed`,
          `Removed ${exports} exports that nobody takes and ${imports} imports that nobody uses`,
          `Cleaned line ends and trailing white space in ${texts} files`,
          `Checked: every import resolves, and all ${input.tests} test files of the repository pass`,
        ],
  };
}
