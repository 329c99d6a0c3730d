import { err, ok, type Result } from '../model/result.js';
import { encodingOf } from './charset.js';
import type { DataProblem } from './place.js';

/** How a file holds records. */
export type RecordFormat = 'csv' | 'tsv' | 'jsonl' | 'json' | 'lines';

export const RECORD_FORMATS: readonly RecordFormat[] = ['csv', 'tsv', 'jsonl', 'json', 'lines'];

const FORMAT_BY_EXTENSION: ReadonlyMap<string, RecordFormat> = new Map([
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.json', 'json'],
  ['.txt', 'lines'],
]);

/** The format that a file's extension implies. */
export function formatOfName(path: string): RecordFormat | undefined {
  const extension = /\.[^./]*$/.exec(path)?.[0].toLowerCase() ?? '';
  return FORMAT_BY_EXTENSION.get(extension);
}

/** Options for a file of records; those that are absent have defaults. */
export interface RecordOptions {
  /** Absent: by the file's name. */
  readonly format?: RecordFormat | undefined;
  /** csv and tsv: the character between fields. */
  readonly delimiter?: string | undefined;
  /** csv and tsv: whether the first record names the fields. */
  readonly header?: boolean | undefined;
  /** The name of an encoding. */
  readonly encoding?: string | undefined;
}

/** How to read a file of records: all options, with defaults filled in. */
export interface RecordLayout {
  readonly format: RecordFormat;
  readonly delimiter: string;
  readonly header: boolean;
  /** As `encodingOf` names it. */
  readonly encoding: string;
}

/** An option that cannot be used, and why. */
export interface OptionProblem {
  readonly option: keyof RecordOptions;
  readonly message: string;
}

/** The layout of a file, from what is said about it and from its name. */
export function layoutOf(path: string, options: RecordOptions): Result<RecordLayout, OptionProblem> {
  const format = options.format ?? formatOfName(path);
  if (format === undefined) {
    const message = `the name '${path.slice(0, 200)}' does not tell the format of the file: add format, one of ${RECORD_FORMATS.join(', ')}`;
    return err({ option: 'format', message });
  }
  const { delimiter, header, encoding } = options;
  const table = format === 'csv' || format === 'tsv';
  if (!table && delimiter !== undefined) return err(withoutEffect('delimiter', format));
  if (!table && header !== undefined) return err(withoutEffect('header', format));
  if (delimiter !== undefined && !isDelimiter(delimiter)) {
    return err({ option: 'delimiter', message: 'delimiter must be one character, and neither a quote nor a line break' });
  }
  const known = encoding === undefined ? 'utf-8' : encodingOf(encoding);
  if (known === undefined) {
    const message = `encoding '${String(encoding).slice(0, 60)}' is not known: name one such as utf-8, latin1, windows-1252 or utf-16le`;
    return err({ option: 'encoding', message });
  }
  return ok({ format, delimiter: delimiter ?? (format === 'tsv' ? '\t' : ','), header: header ?? true, encoding: known });
}

function withoutEffect(option: 'delimiter' | 'header', format: RecordFormat): OptionProblem {
  return { option, message: `${option} has no effect on ${format}: it is for csv and tsv` };
}

function isDelimiter(text: string): boolean {
  return [...text].length === 1 && text !== '"' && text !== '\r' && text !== '\n';
}

/** A problem with a file's records, with the way out where the file is in another encoding. */
export function withHint(problem: DataProblem): DataProblem {
  const { otherEncoding, message } = problem;
  if (otherEncoding === undefined) return problem;
  return { ...problem, message: `${message}; save the file as UTF-8 or add its encoding, such as encoding: ${otherEncoding}` };
}
