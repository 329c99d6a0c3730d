import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordFormat } from '../../../src/data/record-format.js';
import { expandItems, type OwnItems } from '../../../src/execute/expand.js';
import type { JsonObject, JsonValue } from '../../../src/model/json.js';
import { tempFolder, writeFiles } from '../../support/repository.js';

function expand(source: OwnItems, folder = '/nowhere', tasks: JsonObject = {}): readonly JsonValue[] | string {
  const items = expandItems(source, { scope: { params: { root: 'data' }, env: {}, tasks }, folder });
  if (!items.ok) return `${items.error.kind}: ${items.error.message}`;
  return Array.from({ length: items.value.length }, (_, i) => items.value.at(i) ?? null);
}

function file(path: string, format?: RecordFormat): OwnItems {
  return { kind: 'file', path, options: { format }, tasks: [] };
}

describe('expandItems', () => {
  it('keeps the items that pass the filters', () => {
    const filters = [{ task: undefined, path: [], operator: '=', glob: 'a*' }] as const;
    const items = expandItems(
      { kind: 'list', items: ['ab', 'b', 'a'] },
      { filters, scope: { params: {}, env: {} }, folder: '/' },
    );
    expect(items.ok && [items.value.length, items.value.at(1), items.value.at(2)]).toEqual([2, 'a', undefined]);
  });

  it('evaluates the axes of a matrix', () => {
    const axes = [
      { name: 'dir', values: { expression: '[params.root]' } },
      { name: 'n', values: { expression: 'tasks.a.results' } },
    ];
    const tasks = { a: { results: [1, 2] } };
    expect(expand({ kind: 'matrix', axes, exclude: [], include: [], tasks: ['a'] }, '/', tasks)).toEqual([
      { dir: 'data', n: 1 },
      { dir: 'data', n: 2 },
    ]);
  });

  it.each<[string, OwnItems, RegExp]>([
    [
      'an axis that is no list',
      { kind: 'matrix', axes: [{ name: 'a', values: { expression: 'params.root' } }], exclude: [], include: [], tasks: [] },
      /^expression: foreach: a: params.root is the string "data", not a list/,
    ],
    [
      'an expression that is no list',
      { kind: 'expression', expression: '{"a": 1}', tasks: [] },
      /^expression: .*an object, not a list/,
    ],
    ['a path that is no text', file('${{ [1] }}'), /^expression: .*an object, not a path/],
    ['a path that cannot be evaluated', file('${{ params.gone }}'), /^expression: foreach: file: cannot evaluate/],
    ['a file that is not there', file('gone.csv'), /^items: foreach: gone.csv: there is no such file/],
    ['a folder', file('folder', 'csv'), /a folder, not a file/],
    ['a pipe, without waiting for it', file('pipe', 'csv'), /not a regular file/],
    ['a name that tells no format', file('${{ params.root }}'), /^items: .*'data' does not tell.*csv, tsv, jsonl, json, lines/],
    [
      'bytes that are not UTF-8',
      file('latin1.txt'),
      /latin1.txt:1:2: not UTF-8 text: the byte 0xE9; save the file as UTF-8 or add its encoding, such as encoding: latin1$/,
    ],
    ['a broken line', file('broken.jsonl'), /^items: foreach: broken.jsonl:2:2: not JSON/],
  ])('refuses %s', (_, source, says) => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFiles(folder, { 'broken.jsonl': '1\n{\n' });
    execFileSync('sh', ['-c', "printf 'a\\351' > latin1.txt"], { cwd: folder });
    expect(expand(source, folder)).toMatch(says);
  });

  it('reads a file by its name or its format, its path evaluated', () => {
    const folder = tempFolder();
    writeFiles(folder, { 'data/a.NDJSON': '1\n2\n', list: 'x\ny\n' });
    expect(expand(file('${{ params.root }}/a.NDJSON'), folder)).toEqual([1, 2]);
    expect(expand(file('list', 'lines'), folder)).toEqual(['x', 'y']);
    expect(expand(file(join(folder, 'list'), 'lines'), '/')).toEqual(['x', 'y']);
  });
});
