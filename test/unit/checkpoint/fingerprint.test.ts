import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileHashes, type KnownFile } from '../../../src/checkpoint/fingerprint-files.js';
import { FingerprintIndex } from '../../../src/checkpoint/fingerprint-index.js';
import { moduleFiles, relativeImports } from '../../../src/checkpoint/fingerprint-modules.js';
import { changeText, MISSING } from '../../../src/checkpoint/fingerprint-parts.js';
import { filePatterns } from '../../../src/checkpoint/fingerprint-patterns.js';
import {
  checkpointOf,
  isInState,
  keptText,
  outputsOf,
  recordOf,
  stateChange,
  stateText,
} from '../../../src/checkpoint/kept-subtask.js';
import { toRecordLine } from '../../../src/model/record-line.js';
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
    const first = new Map(hashes.matching(patterns));
    expect([...first.keys()]).toEqual(['none', 'src/a.txt', 'src/b.txt']);
    expect(first.get('none')).toBe(MISSING);
    // Just written: it could change again within one tick of the clock of its file system.
    expect(known.size).toBe(0);
    writeFileSync(join(folder, 'src/a.txt'), 'A');
    expect(hashes.hash('src/a.txt')).not.toBe(first.get('src/a.txt'));
    expect(hashes.hash('src')).toBe('folder');
  });
});

function namesIn({ subtasks }: FingerprintIndex): readonly string[] {
  return [...subtasks].map(([name]) => name);
}

describe('the index', () => {
  const checkpoint = {
    wave: 1,
    task_id: 't',
    status: 'success',
    results: { a: '1\t2\n' },
    timestamp: '2024-01-15T14:30:45.123Z',
    agent_id: 'agent_1',
    key: 'k',
    attempt: 1,
    started: 1,
    duration_ms: 1,
  } as const;
  const state = stateText({ ...PARTS, fileHashes: { 'a\tb': '1' } });
  const kept = keptText(state, new Map([['o', '1']]), checkpoint);
  const file = [1, 2.5, 3.25, 4, 'hash'] as const;

  it('keeps what was set last', () => {
    const folder = tempFolder();
    const index = FingerprintIndex.open(folder, { make: true });
    index.set('a', kept);
    index.set('b', kept);
    index.flush();
    index.drop('a');
    index.setFile('f', file);
    index.flush();
    const again = FingerprintIndex.open(folder, { make: true });
    expect([...again.subtasks]).toEqual([['b', kept]]);
    expect([...again.files]).toEqual([['f', [...file]]]);
  });

  it('lets nothing count that was written before a damage, and everything after it', () => {
    const folder = tempFolder();
    const path = join(folder, 'up-to-date.ndjson');
    const index = FingerprintIndex.open(folder, { make: true });
    index.set('a', kept);
    index.flush();
    index.set('b', kept);
    index.drop('a');
    index.flush();
    const whole = readFileSync(path);
    for (let cut = 0; cut < whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const torn = FingerprintIndex.open(folder, { make: true });
      // Where the part that says that a counts no more was cut off in the middle, nobody can know what it said.
      expect(namesIn(torn).filter((id) => id !== 'a')).toEqual([]);
      torn.set('c', kept);
      torn.flush();
      expect(namesIn(FingerprintIndex.open(folder, { make: false })).filter((id) => id !== 'a')).toEqual(['c']);
    }
    for (let at = 19; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(path, flipped);
      const found = [...FingerprintIndex.open(folder, { make: false }).subtasks];
      expect(found.every(([id, text]) => id === 'b' && text === kept)).toBe(true);
    }
  });

  it('of another format counts for nothing and is replaced', () => {
    const folder = tempFolder();
    writeFiles(folder, { 'up-to-date.ndjson': '"other"\n{"subtask":"a","is":{}}\n' });
    expect(FingerprintIndex.open(folder, { make: true }).subtasks.size).toBe(0);
    const again = FingerprintIndex.open(folder, { make: true });
    again.set('a', kept);
    again.flush();
    expect(FingerprintIndex.open(folder, { make: false }).subtasks.size).toBe(1);
  });

  it('compares a state as a text, and says what changed', () => {
    expect(isInState(kept, state)).toBe(true);
    const other = stateText({ ...PARTS, fileHashes: { 'a\tb': '2' } });
    expect([isInState(kept, other), stateChange(kept, other)]).toEqual([false, 'a\tb changed']);
    expect([outputsOf(kept), checkpointOf(kept)]).toEqual([['o', '1'], checkpoint]);
    expect(recordOf(kept)).toBe(toRecordLine(checkpoint));
    expect(checkpointOf(kept.replace('"agent_1"', '"agent_2"'))).toBeUndefined();
  });
});
