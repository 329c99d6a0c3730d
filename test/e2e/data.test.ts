import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: data\nbackup: none\ndefaults: { retries: { max: 0 } }\n';

/** Files that both ways of reading records get, with what is said of them. */
const CASES: readonly (readonly [file: string, content: string, options?: string])[] = [
  ['return.csv', 'a\r1\r2\r'],
  ['crlf.csv', 'a,b\r\n1,"x\r\ny"\r\n'],
  ['bare-quote.csv', 'a,b\n1,2\n3,x"y"\n'],
  ['empty-name.csv', 'a,,c\n1,2,3\n'],
  ['twice.csv', 'a,b,a\n1,2,3\n'],
  ['empty.csv', ''],
  ['empty.tsv', ''],
  ['empty.jsonl', ''],
  ['empty.txt', ''],
  ['latin1.csv', 'name\ncaf\xe9\n'],
  ['latin1-named.csv', 'name\ncaf\xe9\n', 'encoding: latin1'],
  ['utf16.csv', Buffer.from('\ufeffa;b\r\n1;é\r\n', 'utf16le').toString('latin1'), 'encoding: utf-16le, delimiter: ";"'],
  ['utf16-unnamed.csv', Buffer.from('\ufeffa;b\r\n1;é\r\n', 'utf16le').toString('latin1')],
  ['semicolon.csv', 'a;b\n1,5;2\n', 'delimiter: ";"'],
  ['rows.csv', '1,2\n3\n', 'header: false'],
  ['line-5.csv', `a,b\n1,2\n1,2\n1,2\n1\n${'1,2\n'.repeat(995)}`],
  ['tabs.tsv', 'a\tb\n1\t"2\t3"\n'],
  ['mark.txt', '\xef\xbb\xbfx\r\n\ny\r'],
  ['values.ndjson', '{"a": 1}\r\n\r\n[2]\r3\n'],
  ['broken.jsonl', '{"a": 1}\n{"a": }\n'],
  ['list.json', '[{"a": "],"}, [1, 2],\n null]'],
  ['broken.json', '[1,\n 2 3]'],
];

describe('records of a file', () => {
  it('are the same as items of a fan-out and as a result of data/read, and so are mistakes', async () => {
    const folder = tempFolder();
    for (const [file, content] of CASES) writeFileSync(join(folder, file), Buffer.from(content, 'latin1'));
    const tasks = CASES.flatMap(([file, , options], i) => {
      const more = options === undefined ? '' : `, ${options}`;
      return [
        `  read-${i}: { uses: data/read, with: { path: ${file}${more} } }`,
        `  items-${i}: { foreach: { file: ${file}${more} }, uses: ./same.mjs, with: { item: "\${{ item }}" } }`,
      ];
    });
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:\n${tasks.join('\n')}\n`,
      'same.mjs': 'export default ({ item }) => ({ item });\n',
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-k', '-q', '--overhead', '1ms', '-j', '2'], { cwd: folder });
    expect(done.code).toBe(1);
    const ends = new Map(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
    const outcomes = CASES.map(([file], i) => {
      const read = ends.get(`read-${i}`);
      const failure = ends.get(`items-${i}`)?.error?.message;
      const { items } = (read?.results ?? { items: undefined }) as { readonly items: readonly unknown[] | undefined };
      if (items === undefined) {
        const message = read?.error?.message ?? '';
        expect(failure, file).toBe(`foreach: ${message.replace(`"${file}"`, file)}`);
        return [file, message.replace(`"${file}":`, '')];
      }
      expect(failure, file).toBeUndefined();
      const found = items.map((_, k) => ends.get(`items-${i}[${k}]`)?.results);
      expect(found, file).toEqual(items.map((item) => ({ item })));
      expect(ends.has(`items-${i}[${items.length}]`), file).toBe(false);
      return [file, items];
    });
    const encoding = (name: string) => `save the file as UTF-8 or add its encoding, such as encoding: ${name}`;
    expect(Object.fromEntries(outcomes)).toEqual({
      'return.csv': [{ a: '1' }, { a: '2' }],
      'crlf.csv': [{ a: '1', b: 'x\r\ny' }],
      'bare-quote.csv': '3:4: a quote in a field that is not quoted: write the field in quotes, and this one twice',
      'empty-name.csv': '1: column 2 of the header has no name',
      'twice.csv': "1: the header names 'a' twice",
      'empty.csv': '1: the file has no header',
      'empty.tsv': '1: the file has no header',
      'empty.jsonl': [],
      'empty.txt': [],
      'latin1.csv': `2:4: not UTF-8 text: the byte 0xE9; ${encoding('latin1')}`,
      'latin1-named.csv': [{ name: 'café' }],
      'utf16.csv': [{ a: '1', b: 'é' }],
      'utf16-unnamed.csv': `1:1: not UTF-8 text, but UTF-16; ${encoding('utf-16le')}`,
      'semicolon.csv': [{ a: '1,5', b: '2' }],
      'rows.csv': [['1', '2'], ['3']],
      'line-5.csv': '5: 1 field, where the header has 2',
      'tabs.tsv': [{ a: '1', b: '2\t3' }],
      'mark.txt': ['x', 'y'],
      'values.ndjson': [{ a: 1 }, [2], 3],
      'broken.jsonl': "2:7: not JSON: expected a value, found '}'",
      'list.json': [{ a: '],' }, [1, 2], null],
      'broken.json': "2:4: not JSON: expected ',' or ']', found '3'",
    });
  });

  it('have options that are checked with the plan', async () => {
    const folder = tempFolder();
    const tasks = [
      ['{ file: a.jsonl, delimiter: ";" }', 'delimiter has no effect on jsonl'],
      ['{ file: a.txt, header: false }', 'header has no effect on lines'],
      ['{ file: a.csv, delimiter: "\\"" }', 'delimiter must be one character, and neither a quote nor a line break'],
      ['{ file: a.csv, encoding: latin-9000 }', "encoding 'latin-9000' is not known"],
      ['{ matrix: { a: [1] }, encoding: latin1 }', "'encoding' has no effect without 'file'"],
      [
        '{ file: a.dat }',
        "the name 'a.dat' does not tell the format of the file: add format, one of csv, tsv, jsonl, json, lines",
      ],
    ] as const;
    writeFiles(folder, {
      'plan.yaml': `${HEAD}tasks:\n${tasks.map(([foreach], i) => `  t${i}: { foreach: ${foreach}, run: "true" }\n`).join('')}`,
    });
    const checked = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expect(checked.code).toBe(2);
    tasks.forEach(([, says], i) => {
      expect(checked.text).toMatch(
        new RegExp(`plan\\.yaml:${6 + i}:\\d+ PLAN-VALUE ${says.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
      );
    });
  });
});
