import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createRun,
  listRuns,
  logFileName,
  type RunManifest,
  readIncludes,
  readManifest,
  saveIncludes,
  saveLog,
  writeManifest,
  writeReportFile,
} from '../../../src/checkpoint/run-store.js';
import { problem, RUN, temporaryFolder, value } from './repo.js';

const MANIFEST: RunManifest = {
  version: 1,
  run: RUN,
  plan: { name: 'tidy', file: '/p/x.yaml' },
  folder: '/p',
  params: { root: 'media' },
  created: '2026-01-01T12:00:00.000Z',
  waveplan: '0.1.0',
  node: 'v20.19.0',
  methodologyHash: 'abc',
};

function runDir(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'logs'));
  return folder;
}

test('keeps what a run is, and how it ended', async () => {
  const folder = runDir();
  value(await createRun(folder, 'version: 1\n', MANIFEST));
  expect(readFileSync(join(folder, 'plan.yaml'), 'utf8')).toBe('version: 1\n');
  expect(value(await readManifest(folder))).toEqual(MANIFEST);
  for (const backup of [
    { mode: 'none' },
    { mode: 'commit', commit: 'c'.repeat(40), created: false, branch: 'b' },
    { mode: 'ref', commit: 'c'.repeat(64), ref: 'refs/waveplan/backups/r' },
  ] as const) {
    const ended = {
      ...MANIFEST,
      backup,
      end: { status: 'done', reason: 'all done', ended: '2026-01-01T12:00:01.000Z' },
    } as const;
    value(await writeManifest(folder, ended));
    expect(value(await readManifest(folder))).toEqual(ended);
  }
  expect(readdirSync(folder).sort()).toEqual(['logs', 'manifest.json', 'plan.yaml']);
});

test('keeps the files that a plan includes', async () => {
  const folder = runDir();
  expect(value(await readIncludes(folder))).toEqual([]);
  value(await saveIncludes(folder, []));
  expect(readdirSync(folder)).toEqual(['logs']);
  const includes = [{ file: '/p/lib/a.yaml', text: 'version: 1\n# "ä"\n' }];
  value(await saveIncludes(folder, includes));
  expect(value(await readIncludes(folder))).toEqual(includes);
  for (const text of ['[{"file": 1}]', '{}', '[']) {
    writeFileSync(join(folder, 'includes.json'), text);
    expect(problem(await readIncludes(folder)).message).toContain('includes.json is damaged');
  }
});

function withBackup(wrong: Readonly<Record<string, string>>): string {
  const backup = { mode: 'ref', commit: 'c'.repeat(40), ref: 'refs/waveplan/backups/r', ...wrong };
  return JSON.stringify({ ...MANIFEST, backup });
}

test('paths in the project are relative to the state folder, and move with it', async () => {
  const [project, moved] = [join(temporaryFolder(), 'p'), join(temporaryFolder(), 'q')];
  const runOf = (root: string) => join(root, '.waveplan/runs/r');
  mkdirSync(runOf(project), { recursive: true });
  const at = (root: string) => ({
    ...MANIFEST,
    plan: { name: 'p', file: join(root, 'plans/p.yaml') },
    folder: root,
    asked: { methodology: join(root, 'm.yaml'), checkpointFiles: '/elsewhere/files', agents: { count: 2 } },
  });
  value(await createRun(runOf(project), 'version: 1\n', at(project)));
  value(await saveIncludes(runOf(project), [{ file: join(project, 'lib.yaml'), text: '' }]));
  expect(readFileSync(join(runOf(project), 'manifest.json'), 'utf8')).not.toContain(project);
  renameSync(project, moved);
  expect(value(await readManifest(runOf(moved)))).toEqual(at(moved));
  expect(value(await readIncludes(runOf(moved)))).toEqual([{ file: join(moved, 'lib.yaml'), text: '' }]);
});

test.each([
  ['cut short', '{"version": 1, "run"', 'not JSON'],
  ['empty', '', 'not JSON'],
  ['a list', '[]', 'not an object'],
  ['of a later version', JSON.stringify({ ...MANIFEST, version: 2 }), 'another version'],
  ['without a field', JSON.stringify({ ...MANIFEST, node: undefined }), 'field node'],
  ['with a wrong backup', JSON.stringify({ ...MANIFEST, backup: { mode: 'ref', commit: 3 } }), 'field backup'],
  ['with an option as a commit', withBackup({ commit: '--output=x' }), 'field backup'],
  ['with a short id', withBackup({ commit: 'c'.repeat(39) }), 'field backup'],
  ['with a ref of the user', withBackup({ ref: 'refs/heads/main' }), 'field backup'],
  ['with a ref that leads out', withBackup({ ref: 'refs/waveplan/../heads/main' }), 'field backup'],
  ['with a wrong end', JSON.stringify({ ...MANIFEST, end: { status: 'fine', reason: '', ended: '' } }), 'field end'],
])('a manifest %s is a problem', async (_name, text, said) => {
  const folder = runDir();
  writeFileSync(join(folder, 'manifest.json'), text);
  const found = problem(await readManifest(folder));
  expect(found.message).toContain(said);
  expect(found.message).toContain('manifest.json');
});

test('a missing manifest is a problem', async () => {
  expect(problem(await readManifest(runDir())).message).toContain('manifest.json is missing');
});

describe('runs', () => {
  test('are listed in order of time', async () => {
    const state = temporaryFolder();
    expect(value(await listRuns(state))).toEqual([]);
    const ids = ['20260102-000000000-aaaaaa', '20251231-235959999-ffffff', '20260101-000000000-000000'];
    for (const id of [...ids, '.hidden']) {
      mkdirSync(join(state, 'runs', id), { recursive: true });
      writeFileSync(join(state, 'runs', id, 'manifest.json'), '{');
    }
    // Of a run that was ended before it began.
    mkdirSync(join(state, 'runs/20260103-000000000-000000'));
    writeFileSync(join(state, 'runs/file'), '');
    expect(value(await listRuns(state)).map(({ run }) => run)).toEqual([...ids].sort());
  });
});

test('stores reports and logs', async () => {
  const folder = runDir();
  value(await writeReportFile(folder, 'report.json', '{}'));
  expect(readFileSync(join(folder, 'report.json'), 'utf8')).toBe('{}');
  const log = value(await saveLog(folder, 'build[3]', 'said'));
  expect(log).toBe(join(folder, 'logs/build[3].log'));
  expect(readFileSync(log, 'utf8')).toBe('said');
  const hostile = value(await saveLog(folder, '../../x', 'said'));
  expect(hostile.startsWith(join(folder, 'logs/'))).toBe(true);
  expect(existsSync(join(folder, '..', 'x.log'))).toBe(false);
  expect(problem(await writeReportFile(join(folder, 'missing'), 'x', '')).message).toContain('ENOENT');
  expect(problem(await saveLog(join(folder, 'missing'), 'x', '')).message).toContain('ENOENT');
});

test('names of logs do not collide', () => {
  const ids = ['a', 'a[1]', 'a-1', '..', '.', '', 'a/b', 'a_b', 'x'.repeat(200), 'x'.repeat(201), 'é', 'è'];
  expect(new Set(ids.map(logFileName)).size).toBe(ids.length);
  for (const id of ids) expect(logFileName(id)).toMatch(/^[^./\\][^/\\]{0,99}$/);
});
