/** How a file holds items. */
export type ItemFormat = 'csv' | 'tsv' | 'jsonl' | 'json' | 'lines';

export const ITEM_FORMATS: readonly ItemFormat[] = ['csv', 'tsv', 'jsonl', 'json', 'lines'];

const FORMAT_BY_EXTENSION: ReadonlyMap<string, ItemFormat> = new Map([
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.json', 'json'],
  ['.txt', 'lines'],
]);

/** The format that a file's name tells. */
export function itemFormatOf(path: string): ItemFormat | undefined {
  const extension = /\.[^./]*$/.exec(path)?.[0].toLowerCase() ?? '';
  return FORMAT_BY_EXTENSION.get(extension);
}
