import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder, writeFiles } from '../../../support/repository.js';
import { act } from './act.js';

describe('data/read', () => {
  it('reads the three formats', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'a.json': '\ufeff[{"n":1},{"n":2}]',
      'b.json': '{"version":3}',
      'c.jsonl': '{"n":1}\r\n\n{"n":2}',
      'd.csv': '\ufeffname,text\r\nx,"two\nlines, and ""quotes"""\r\n',
      'e.tsv': 'a\tb\n1\t2\n',
    });
    const read = async (input: { readonly path: string } & Record<string, string | boolean>) =>
      (await act('data/read', input, folder)).results;
    expect(await read({ path: 'a.json' })).toEqual({ items: [{ n: 1 }, { n: 2 }], count: 2, end: true, value: null });
    expect(await read({ path: 'b.json' })).toEqual({ items: [], count: 0, end: true, value: { version: 3 } });
    expect((await read({ path: 'c.jsonl' })).items).toEqual([{ n: 1 }, { n: 2 }]);
    expect((await read({ path: 'd.csv' })).items).toEqual([{ name: 'x', text: 'two\nlines, and "quotes"' }]);
    expect((await read({ path: 'e.tsv' })).items).toEqual([{ a: '1', b: '2' }]);
    expect((await read({ path: 'e.tsv', header: false })).items).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });

  it('takes a part, and some fields', async () => {
    const folder = tempFolder();
    const records = Array.from({ length: 10 }, (_, i) => ({ i, text: `t${i}` }));
    writeFiles(folder, {
      'a.json': JSON.stringify(records),
      'a.jsonl': records.map((record) => JSON.stringify(record)).join('\n'),
      'a.csv': ['i,text', ...records.map(({ i, text }) => `${i},${text}`)].join('\n'),
    });
    for (const path of ['a.json', 'a.jsonl', 'a.csv']) {
      const { results } = await act('data/read', { path, from: 3, limit: 2, fields: ['text', 'none'] }, folder);
      expect(results, path).toEqual({ items: [{ text: 't3' }, { text: 't4' }], count: 2, end: false, value: null });
      expect((await act('data/read', { path, from: 8, limit: 5 }, folder)).results).toMatchObject({ count: 2, end: true });
      expect((await act('data/read', { path, limit: 0 }, folder)).results).toMatchObject({ items: [], end: false });
    }
  });

  it('names the line of a mistake', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'a.jsonl': '{"a":1}\n{"a":\n',
      'short.csv': 'a,b\n1,2\n3\n',
      'open.csv': 'a,b\n1,"2\n3,4\n',
      'twice.csv': 'a,a\n1,2\n',
      'a.json': '[1,',
      'a.dat': '',
    });
    const message = async (path: string) => (await act('data/read', { path }, folder)).failure?.message;
    expect(await message('a.jsonl')).toMatch(/"a.jsonl":2:6: not JSON: expected a value, found the end/);
    expect(await message('short.csv')).toMatch(/"short.csv":3: 1 field, where the header has 2/);
    expect(await message('open.csv')).toMatch(/"open.csv":2:3: the quote that begins here is not closed/);
    expect(await message('twice.csv')).toMatch(/"twice.csv":1: the header names 'a' twice/);
    expect(await message('a.json')).toMatch(/"a.json":1:4: the list is not closed/);
    expect(await message('a.dat')).toMatch(/'a.dat' does not tell the format.*csv, tsv, jsonl, json, lines/);
  });

  it('refuses more than a result holds, and takes a part of a million lines in little memory', async () => {
    const folder = tempFolder();
    const path = join(folder, 'large.jsonl');
    const block = Array.from({ length: 10_000 }, (_, i) => `{"id":${i},"text":"${'x'.repeat(40)}"}\n`).join('');
    for (let i = 0; i < 100; i += 1) writeFileSync(path, block, { flag: 'a' });
    expect((await act('data/read', { path: 'large.jsonl' }, folder)).failure?.message).toMatch(
      /more than a result holds.*'from' and 'limit'/,
    );
    const before = process.memoryUsage().heapUsed;
    const { results } = await act('data/read', { path: 'large.jsonl', from: 999_990, fields: ['id'] }, folder);
    expect(results).toMatchObject({ count: 10, end: true });
    expect(results.items[0]).toEqual({ id: 9990 });
    // The file has 60 MB; what the reader holds at once is a piece of it.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
  });
});
