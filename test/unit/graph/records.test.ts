import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemsInBytes } from '../../../src/graph/records.js';
import type { JsonValue } from '../../../src/model/json.js';
import type { ItemFormat } from '../../../src/plan/item-format.js';

function read(text: string, format: ItemFormat, parsedBytes?: number): readonly JsonValue[] | string {
  const items = itemsInBytes(Buffer.from(text), format, parsedBytes);
  if (!items.ok) return `${items.error.line}: ${items.error.message}`;
  const list = items.value;
  expect(list.at(list.length)).toBeUndefined();
  return Array.from({ length: list.length }, (_, i) => list.at(i) ?? null);
}

describe('items in a file', () => {
  const readable: readonly (readonly [ItemFormat, string, readonly JsonValue[]])[] = [
    ['lines', 'a\n\n b \r\nc', ['a', ' b ', 'c']],
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
    ['tsv', 'a\tb\n1,5\t2\n', [{ a: '1,5', b: '2' }]],
  ];
  it.each(readable)('%s %j', (format, text, items) => {
    expect(read(text, format)).toEqual(items);
    expect(read(text, format, 0)).toEqual(items);
  });

  const broken: readonly (readonly [ItemFormat, string, RegExp])[] = [
    ['jsonl', '{"a": 1}\n\n{"a": }\n', /^3: this is not JSON: Unexpected token/],
    ['jsonl', '{"a": 1}{"a": 2}\n', /^1: this is not JSON/],
    ['json', '{"a": 1}', /^1: .*must hold a JSON list/],
    ['json', '', /^1: .*must hold a JSON list/],
    ['json', '[1,\n 2,\n]', /^3: this is not JSON/],
    ['json', '[1,\n{"a":\n  oops}]', /^2: this is not JSON: Unexpected token/],
    ['json', '[1,\n[2,\n3]', /^2: .*not closed/],
    ['json', '[1]\n\n[2]', /^3: something follows/],
    ['json', '[1,\n2}', /^2: .*closed by }/],
    ['json', '["a\n', /^1: .*not closed/],
    ['csv', '', /^1: the file has no header/],
    ['csv', 'a,b\n1,2\n3\n', /^3: 1 field, where the header has 2/],
    ['csv', 'a,b\n1,2,3\n', /^2: 3 fields, where the header has 2/],
    ['csv', 'a,b\n1,"x\ny', /^2: a quoted field is not closed/],
    ['csv', 'a,b\n1,"x" y\n', /^2: something follows the closing quote/],
    ['csv', 'a,b\n1,x"y"\n', /^2: a quote stands in a field/],
    ['csv', 'a,b\n"1\n2",3\n4\n', /^4: 1 field/],
    ['csv', 'a,,c\n', /^1: column 2 of the header has no name/],
    ['csv', 'a,b,a\n', /^1: the header names 'a' twice/],
  ];
  it.each(broken)('%s %j is refused with its line', (format, text, says) => {
    expect(read(text, format)).toMatch(says);
    expect(read(text, format, 0)).toMatch(says);
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
