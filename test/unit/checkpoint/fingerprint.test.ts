import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileHashes, type KnownFile } from '../../../src/checkpoint/fingerprint-files.js';
import { FingerprintIndex } from '../../../src/checkpoint/fingerprint-index.js';
import { moduleFiles, relativeImports } from '../../../src/checkpoint/fingerprint-modules.js';
import { changeText, MISSING } from '../../../src/checkpoint/fingerprint-parts.js';
import { filePatterns } from '../../../src/checkpoint/fingerprint-patterns.js';
import { tempFolder, writeFiles } from '../../support/repository.js';

const PARTS = { definition: 'd', module: 'm', env: 'e', results: 'r', files: 'f' };

describe('the reason why a subtask runs', () => {
  it('is none where all is equal, and names each part that is not', () => {
    expect(changeText(PARTS, { ...PARTS })).toBeUndefined();
    expect(changeText(PARTS, { ...PARTS, definition: 'x', results: 'x' })).toBe(
      'its definition changed, or a param that it sees; results that it reads changed',
    );
  });

  it('names the files that changed, came and went', () => {
    const before = { ...PARTS, fileHashes: { a: '1', b: '1', c: '1', d: MISSING } };
    const now = { ...PARTS, files: 'x', fileHashes: { a: '2', c: MISSING, d: '1', e: '1' } };
    expect(changeText(before, now)).toBe('a changed, c is gone, d is new, 2 more of its input files changed');
  });
});

describe('patterns of files', () => {
  const scope = { params: {}, env: {}, tasks: {}, item: 'a[1].txt', index: 0 };
  it('take what comes of an expression for a path', () => {
    expect(filePatterns(['${{ item }}', 'out/${{ item }}', '**/${{ item }}', '!x/*.ts', "${{ ['p', 'q*'] }}"], scope)).toEqual({
      ok: true,
      value: [
        { kind: 'path', text: 'a[1].txt', not: false },
        { kind: 'path', text: 'out/a[1].txt', not: false },
        { kind: 'glob', text: '**/a\\[1\\].txt', not: false },
        { kind: 'glob', text: 'x/*.ts', not: true },
        { kind: 'path', text: 'p', not: false },
        { kind: 'path', text: 'q*', not: false },
      ],
    });
    expect(filePatterns(['${{ item.x }}'], scope)).toMatchObject({ ok: false });
  });
});

describe('what a module imports', () => {
  it('is found in every form that has a literal path', () => {
    const text = `import a from './a.js';\nexport * from "../b";\nawait import('./c.mjs');\nrequire('./d');\nimport './e';\nimport f from 'f';`;
    expect(relativeImports(text)).toEqual(['./a.js', '../b', './c.mjs', './d', './e']);
  });

  it('is followed through files, circles included', () => {
    const folder = tempFolder();
    writeFiles(folder, { 'm.ts': "import './lib/x.js'", 'lib/x.ts': "import '../m.js'; import './y'", 'lib/y/index.ts': '' });
    expect(moduleFiles(join(folder, 'm.ts'))).toEqual(['lib/x.ts', 'lib/y/index.ts', 'm.ts'].map((file) => join(folder, file)));
  });
});

describe('hashes of files', () => {
  it('are made again only where what stat says differs', () => {
    const folder = tempFolder();
    writeFiles(folder, { 'src/a.txt': 'a', 'src/b.txt': 'b', 'src/b.test.txt': 't' });
    const known = new Map<string, KnownFile>();
    const hashes = new FileHashes(folder, known, () => {});
    const patterns = [
      { kind: 'glob', text: 'src/*.txt', not: false },
      { kind: 'glob', text: '**/*.test.txt', not: true },
      { kind: 'path', text: 'none', not: false },
    ] as const;
    const first = hashes.matching(patterns);
    expect([...first.keys()]).toEqual(['none', 'src/a.txt', 'src/b.txt']);
    expect(first.get('none')).toBe(MISSING);
    // Just written: it could change again within one tick of the clock of its file system.
    expect(known.size).toBe(0);
    writeFileSync(join(folder, 'src/a.txt'), 'A');
    expect(hashes.hash('src/a.txt')).not.toBe(first.get('src/a.txt'));
    expect(hashes.hash('src')).toBe('folder');
  });
});

describe('the index', () => {
  const checkpoint = {
    wave: 1,
    task_id: 't',
    status: 'success',
    results: { a: 1 },
    timestamp: '2024-01-15T14:30:45.123Z',
    agent_id: 'agent_1',
    key: 'k',
    attempt: 1,
    started: 1,
    duration_ms: 1,
  } as const;
  const kept = { parts: PARTS, outputs: { o: '1' }, checkpoint };

  it('keeps what was set last, and passes over a torn line', () => {
    const state = tempFolder();
    const index = FingerprintIndex.open(state, { make: true });
    index.set('a', kept);
    index.set('b', kept);
    index.drop('a');
    index.setFile('f', [1, '2', '3', '4', 'hash']);
    index.flush();
    writeFileSync(join(state, 'up-to-date.ndjson'), '{"subtask":"b","is', { flag: 'a' });
    const again = FingerprintIndex.open(state, { make: true });
    expect([...again.subtasks]).toEqual([['b', kept]]);
    expect([...again.files]).toEqual([['f', [1, '2', '3', '4', 'hash']]]);
    again.set('c', kept);
    again.flush();
    const last = FingerprintIndex.open(state, { make: true });
    expect([...last.subtasks.keys()]).toEqual(['b', 'c']);
  });

  it('of another format counts for nothing and is replaced', () => {
    const state = tempFolder();
    writeFiles(state, { 'up-to-date.ndjson': '"other"\n{"subtask":"a","is":{}}\n' });
    expect(FingerprintIndex.open(state, { make: true }).subtasks.size).toBe(0);
    const again = FingerprintIndex.open(state, { make: true });
    again.set('a', kept);
    again.flush();
    expect(FingerprintIndex.open(state, { make: false }).subtasks.size).toBe(1);
  });
});
