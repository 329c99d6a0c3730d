import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutOf, type RecordFormat, type RecordOptions } from '../../../src/data/record-format.js';
import { indexRecords } from '../../../src/data/record-index.js';
import type { JsonValue } from '../../../src/model/json.js';

function read(
  text: string,
  format: RecordFormat,
  parsedBytes?: number,
  options: RecordOptions = {},
): readonly JsonValue[] | string {
  const layout = layoutOf('', { ...options, format });
  if (!layout.ok) return layout.error.message;
  const items = indexRecords(Buffer.from(text), layout.value, parsedBytes);
  if (!items.ok)
    return `${items.error.line}${items.error.column === undefined ? '' : `:${items.error.column}`}: ${items.error.message}`;
  const list = items.value;
  expect(list.at(list.length)).toBeUndefined();
  return Array.from({ length: list.length }, (_, i) => list.at(i) ?? null);
}

describe('items in a file', () => {
  const readable: readonly (readonly [RecordFormat, string, readonly JsonValue[]])[] = [
    ['lines', 'a\n\n b \r\nc', ['a', ' b ', 'c']],
    ['lines', 'a\r\r b \rc\r', ['a', ' b ', 'c']],
    ['lines', '\ufeffa\n', ['a']],
    ['lines', '', []],
    ['jsonl', '{"a": 1}\n\n[2]\r\n"x"\n', [{ a: 1 }, [2], 'x']],
    ['jsonl', '\n', []],
    ['json', '[]', []],
    ['json', ' \n[ 1 , {"a": "],\\"["},\n[2, [3]], "\\\\" ]\n', [1, { a: '],"[' }, [2, [3]], '\\']],
    ['json', '\ufeff[null, false]', [null, false]],
    [
      'csv',
      'id,name\n1,Ada\n2,"Lovelace, Ada"\n',
      [
        { id: '1', name: 'Ada' },
        { id: '2', name: 'Lovelace, Ada' },
      ],
    ],
    [
      'csv',
      '\ufeffid,name\r\n\r\n1,"two\r\nlines"\r\n2,"a ""quoted"" word"',
      [
        { id: '1', name: 'two\r\nlines' },
        { id: '2', name: 'a "quoted" word' },
      ],
    ],
    ['csv', 'id\n\n7\n', [{ id: '7' }]],
    [
      'csv',
      'a,b\n,\n"",x\n',
      [
        { a: '', b: '' },
        { a: '', b: 'x' },
      ],
    ],
    ['csv', 'only,header\n', []],
    ['csv', 'a\r1\r2\r', [{ a: '1' }, { a: '2' }]],
    ['tsv', 'a\tb\n1,5\t2\n', [{ a: '1,5', b: '2' }]],
  ];
  it.each(readable)('%s %j', (format, text, items) => {
    expect(read(text, format)).toEqual(items);
    expect(read(text, format, 0)).toEqual(items);
  });

  const broken: readonly (readonly [RecordFormat, string, string])[] = [
    ['jsonl', '{"a": 1}\n\n{"a": }\n', "3:7: not JSON: expected a value, found '}'"],
    ['jsonl', '{"a": 1}{"a": 2}\n', "1:9: not JSON: expected the end: the value is complete, found '{'"],
    ['jsonl', '1\r2\r[\r3', '3:2: not JSON: expected a value, found the end, and a [ is not closed'],
    [
      'jsonl',
      '{"id": 1}\n{"id": 9007199254740993}\n',
      '2:8: the number 9007199254740993 would become 9007199254740992: write it as text, in quotes',
    ],
    ['json', '{"a": 1}', '1:1: the file must hold a JSON list: it does not begin with ['],
    ['json', '', '1:1: the file must hold a JSON list: it does not begin with ['],
    ['json', '[1,\n 2,\n]', "3:1: not JSON: expected a value, found ']'"],
    ['json', '[1,\n{"a":\n  oops}]', "3:3: not JSON: expected a value, found 'oops'"],
    ['json', '[1, 2 3]', "1:7: not JSON: expected ',' or ']', found '3'"],
    ['json', '["é", 1e400]', '1:7: the number 1e400 is too large: write it as text, in quotes'],
    ['json', '[1,\r\n[2,\r\n3]', '2:1: the list is not closed: the file ends within this item'],
    ['json', '[1]\n\n[2]', '3:1: something follows the list'],
    ['json', '[1,\n2}', '2:2: the list is closed by } and not by ]'],
    ['json', '["a\n', '1:2: the list is not closed: the file ends within this item'],
    ['csv', '', '1: the file has no header'],
    ['csv', 'a,b\n1,2\n3\n', '3: 1 field, where the header has 2'],
    ['csv', 'a,b\n1,2,3\n', '2: 3 fields, where the header has 2'],
    ['csv', 'a,b\n1,"x\ny', '2:3: the quote that begins here is not closed'],
    ['csv', 'a,b\n1,"x" y\n', '2:6: something follows the closing quote of a field'],
    ['csv', 'a,b\n"é\r\né","x" y\n', '3:7: something follows the closing quote of a field'],
    ['csv', 'a,b\n1,x"y"\n', '2:4: a quote in a field that is not quoted: write the field in quotes, and this one twice'],
    ['csv', 'a,b\n"1\n2",3\n4\n', '4: 1 field, where the header has 2'],
    ['csv', 'a,b\r"1\r2",3\r4\r', '4: 1 field, where the header has 2'],
    ['csv', 'a,,c\n', '1: column 2 of the header has no name'],
    ['csv', 'a,b,a\n', "1: the header names 'a' twice"],
  ];
  it.each(broken)('%s %j is refused with its line', (format, text, says) => {
    expect(read(text, format)).toBe(says);
    expect(read(text, format, 0)).toBe(says);
  });

  it('have a delimiter of any one character, and no header where there is none', () => {
    expect(read('a;b\n1,5;"x;y"\n', 'csv', 0, { delimiter: ';' })).toEqual([{ a: '1,5', b: 'x;y' }]);
    expect(read('a§b©§c\n', 'csv', 0, { delimiter: '§', header: false })).toEqual([['a', 'b©', 'c']]);
    expect(read('', 'csv', 0, { header: false })).toEqual([]);
    expect(read('a', 'csv', 0, { delimiter: '"' })).toMatch(/^delimiter must be one character/);
    expect(read('a', 'jsonl', 0, { delimiter: ';' })).toBe('delimiter has no effect on jsonl: it is for csv and tsv');
  });

  it('are found in 300,000 columns and in a list of 100,000 items in linear time', () => {
    const columns = Array.from({ length: 300_000 }, (_, i) => `c${i}`).join(',');
    const items = read(`${columns}\n${columns}\n`, 'csv');
    expect(Object.keys(items[0] ?? {})).toHaveLength(300_000);
    expect(read(`[${'1,'.repeat(99_999)}1]`, 'json', 0)).toHaveLength(100_000);
  });

  it('read back what was written, as JSON and as JSON lines, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 2), fc.constantFrom(0, 1e6), (values, indent, parsedBytes) => {
        const items = values.map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
        expect(read(JSON.stringify(items, null, indent), 'json', parsedBytes)).toEqual(items);
        expect(read(items.map((value) => `${JSON.stringify(value)}\n`).join(''), 'jsonl')).toEqual(items);
      }),
    );
  });

  it('read back what was written as CSV, whatever the texts', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '\t') });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell)), fc.boolean(), (rows, always) => {
        const written = (text: string) => (always || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
        const text = rows.map(([a, b]) => `${written(a)},${written(b)}\n`).join('');
        expect(read(`first,__proto__\n${text}`, 'csv')).toEqual(
          rows.map(([a, b]) => JSON.parse(JSON.stringify({ first: a }).replace('}', `,"__proto__":${JSON.stringify(b)}}`))),
        );
      }),
    );
  });
});
