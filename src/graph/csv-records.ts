import { err, ok, type Result } from '../model/result.js';
import { type ByteRange, behindMark, type ParseItem, type RecordProblem } from './byte-range.js';

/** The records of a CSV file behind its header, and how one becomes an object of texts. */
export interface CsvTable {
  readonly ranges: Iterable<ByteRange>;
  readonly parse: ParseItem;
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * CSV as RFC 4180 has it: a header; fields in quotes may hold separators, line breaks, and quotes written twice.
 * Values are texts. Every record must have as many fields as the header.
 */
export function csvRecords(bytes: Buffer, separator: ',' | '\t'): Result<CsvTable, RecordProblem> {
  const ranges = recordRanges(bytes);
  const first = ranges.next();
  if (first.done === true) return err({ line: 1, message: 'the file has no header' });
  const { start, end, line } = first.value;
  const header = fieldsOf(bytes.toString('utf8', start, end), separator);
  if (!header.ok) return err({ line: line + header.error.line - 1, message: header.error.message });
  const names = header.value;
  const empty = names.indexOf('');
  if (empty !== -1) return err({ line, message: `column ${empty + 1} of the header has no name` });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return err({ line, message: `the header names '${twice.slice(0, 60)}' twice` });
  const parse: ParseItem = (text) => {
    const fields = fieldsOf(text, separator);
    if (!fields.ok) return fields;
    const count = fields.value.length;
    if (count === names.length) return ok(Object.fromEntries(names.map((name, i) => [name, fields.value[i] ?? ''])));
    return err({ line: 1, message: `${count} ${count === 1 ? 'field' : 'fields'}, where the header has ${names.length}` });
  };
  return ok({ ranges, parse });
}

/** Records by their line breaks, except those in quotes; blank lines are none. */
function* recordRanges(bytes: Buffer): Generator<ByteRange, void> {
  let line = 1;
  let start = behindMark(bytes);
  while (start < bytes.length) {
    const begun = line;
    let quoted = false;
    let at = start;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === NEWLINE) {
        line += 1;
        if (!quoted) break;
      }
    }
    const end = bytes[at - 1] === RETURN && at > start ? at - 1 : at;
    if (end > start) yield { start, end, line: begun };
    start = at + 1;
  }
}

/** The fields of one record, taken out of their quotes. */
function fieldsOf(text: string, separator: string): Result<readonly string[], RecordProblem> {
  const fields: string[] = [];
  const problem = (at: number, message: string) => err({ line: text.slice(0, at).split('\n').length, message });
  let at = 0;
  while (true) {
    if (text[at] === '"') {
      const begun = at;
      let value = '';
      at += 1;
      while (true) {
        const close = text.indexOf('"', at);
        if (close === -1) return problem(begun, 'a quoted field is not closed');
        value += text.slice(at, close);
        at = close + 1;
        if (text[at] !== '"') break;
        value += '"';
        at += 1;
      }
      if (at < text.length && text[at] !== separator) return problem(at, 'something follows the closing quote of a field');
      fields.push(value);
    } else {
      const found = text.indexOf(separator, at);
      const end = found === -1 ? text.length : found;
      const value = text.slice(at, end);
      const quote = value.indexOf('"');
      if (quote !== -1)
        return problem(at + quote, 'a quote stands in a field that is not quoted: write the field in quotes, and this one twice');
      fields.push(value);
      at = end;
    }
    if (at >= text.length) return ok(fields);
    at += 1;
  }
}
