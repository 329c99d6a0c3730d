import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataProblem } from '../../../src/data/place.js';
import { layoutOf, type RecordLayout, type RecordOptions } from '../../../src/data/record-format.js';
import { indexRecords } from '../../../src/data/record-index.js';
import { RecordStream } from '../../../src/data/record-stream.js';
import type { JsonValue } from '../../../src/model/json.js';

function layout(options: RecordOptions): RecordLayout {
  const made = layoutOf('', options);
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

/** The records of bytes in memory, as `foreach: { file }` reads them. */
function indexed(bytes: Buffer, options: RecordOptions, parsedBytes?: number): readonly JsonValue[] | DataProblem {
  const records = indexRecords(bytes, layout(options), parsedBytes);
  if (!records.ok) return records.error;
  return Array.from({ length: records.value.length }, (_, i) => records.value.at(i) ?? null);
}

/** The same from a stream in pieces of these sizes, as `data/read` reads them. */
async function streamed(
  bytes: Buffer,
  options: RecordOptions,
  sizes: readonly number[],
): Promise<readonly JsonValue[] | DataProblem> {
  let at = 0;
  let piece = 0;
  const stream = new RecordStream(layout(options), async (into) => {
    const size = Math.max(1, sizes[piece++ % sizes.length] ?? 1);
    const count = bytes.copy(into, 0, at, Math.min(bytes.length, at + size));
    at += count;
    return count;
  });
  const records: JsonValue[] = [];
  for (;;) {
    const step = stream.next();
    if (step === 'more') await stream.fill();
    else if (step === 'end') return records;
    else if (step === 'record') {
      const value = stream.value();
      if (!value.ok) return value.error;
      records.push(value.value);
    } else return step;
  }
}

const csvUnits = fc.constantFrom('a', 'é', '🌊', '"', '"', ',', ',', ';', '\n', '\r', '\r\n', ' ', '\ufeff');
const csvText = fc.string({ unit: csvUnits, maxLength: 24 });
const jsonText = fc.oneof(
  fc.json(),
  fc.array(fc.json(), { maxLength: 4 }).map((values) => values.join('\n')),
  fc.array(fc.json(), { maxLength: 4 }).map((values) => `[${values.join(',\r\n')}]`),
  fc.string({
    unit: fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', '1', 'e', '9007199254740993', '\n', '\r', ' ', 'é'),
  }),
);
/** Texts with a few bytes changed, which may break their UTF-8. */
const bytesOf = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }), fc.boolean()).map(([written, changes, change]) => {
    const bytes = Buffer.from(written);
    if (change && bytes.length > 0) for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
/** Other encodings are decoded in steps of 4,096 bytes; a step that fails is lost as a whole. */
function piecesFor({ encoding = 'utf-8' }: RecordOptions, pieces: readonly number[]): readonly number[] {
  return encoding === 'utf-8' ? pieces : [4096];
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe('the two readers of records', () => {
  const table = fc.record({
    format: fc.constantFrom('csv', 'tsv'),
    header: fc.boolean(),
    delimiter: fc.constantFrom(undefined, ',', ';', 'é'),
    encoding: fc.constantFrom(undefined, 'utf-8', 'utf-16le', 'latin1', 'shift_jis'),
  }) as fc.Arbitrary<RecordOptions>;
  const other = fc.record({
    format: fc.constantFrom('json', 'jsonl', 'lines'),
    encoding: fc.constantFrom(undefined, undefined, 'utf-16be', 'windows-1252'),
  }) as fc.Arbitrary<RecordOptions>;

  it('give the same records and the same problems for the same bytes of CSV, wherever pieces end', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(csvText), table, sizes, async (bytes, options, pieces) => {
        expect(await streamed(bytes, options, piecesFor(options, pieces))).toEqual(indexed(bytes, options));
      }),
    );
  });

  it('give the same records and the same problems for the same bytes of JSON and lines', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(fc.oneof(jsonText, csvText)), other, sizes, async (bytes, options, pieces) => {
        const whole = indexed(bytes, options);
        expect(await streamed(bytes, options, piecesFor(options, pieces))).toEqual(whole);
        expect(indexed(bytes, options, 0)).toEqual(whole);
      }),
    );
  });
});

describe('CSV', () => {
  /** csv-parse with the options of RFC 4180; undefined where it refuses the text. */
  function oracle(text: string, delimiter: string): readonly (readonly string[])[] | undefined {
    try {
      return parseCsv(text, {
        delimiter,
        bom: true,
        record_delimiter: ['\r\n', '\n', '\r'],
        relax_column_count: true,
        skip_empty_lines: true,
      });
    } catch {
      return undefined;
    }
  }

  it('is read as csv-parse reads it', () => {
    fc.assert(
      fc.property(csvText, fc.constantFrom(',', ';'), (text, delimiter) => {
        const records = indexed(Buffer.from(text), { format: 'csv', header: false, delimiter });
        expect(Array.isArray(records) ? records : undefined).toEqual(oracle(text, delimiter));
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what was written, whatever the line ends', () => {
    const field = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '"', ',', '\n', '\r\n', '\r', 'a,b', '"x"', ' "'),
    );
    const written = (text: string) => (/[",\r\n\ufeff]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        (rows, lineEnd, closed) => {
          const text = rows.map((row) => row.map(written).join(',')).join(lineEnd) + (closed && rows.length > 0 ? lineEnd : '');
          expect(indexed(Buffer.from(text), { format: 'csv', header: false })).toEqual(rows);
        },
      ),
    );
  });
});
