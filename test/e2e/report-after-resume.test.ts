import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { junitProblems } from '../support/junit.js';
import { onlyRun, tempFolder, writeFiles } from '../support/repository.js';
import { watching } from '../support/watching.js';

const HEAD = `version: 1
name: edited
backup: none
agents: 2
failure: { major: 95%, critical: 99% }
`;
const FILES = ['--junit', 'junit.xml', '--trace', 'trace.json', '--html', 'report.html'];
const GOOD = `run: 'case "$ITEM" in *bad*) exit 1;; esac'`;

interface Told {
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
  /** Every test case of the JUnit report, sorted. */
  readonly names: readonly string[];
}

async function run(folder: string, plan: string, args: readonly string[] = []): Promise<number | null> {
  writeFiles(folder, { 'plan.yaml': `${HEAD}${plan}` });
  const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '1ms', ...FILES, ...args], { cwd: folder });
  return done.code;
}

async function resume(folder: string, plan: string, args: readonly string[] = []): Promise<number | null> {
  writeFiles(folder, { 'plan.yaml': `${HEAD}${plan}` });
  const done = await waveplan(['resume', '--yes', ...FILES, ...args], { cwd: folder });
  expect(done.stderr).not.toContain('hint');
  return done.code;
}

/** The counts of a run, which must be the same in every format. It has written a JUnit file. */
async function toldBy(folder: string): Promise<Told> {
  const runFolder = onlyRun(folder);
  const [json, status] = await Promise.all([
    waveplan(['report', '-f', 'json'], { cwd: folder }),
    waveplan(['status', '--json'], { cwd: folder }),
  ]);
  expect(json.stdout).toBe(readFileSync(join(runFolder, 'report.json'), 'utf8'));
  const report = JSON.parse(json.stdout);
  const { success, failed, skipped } = report.statistics.subtasks;
  const xml = readFileSync(join(folder, 'junit.xml'), 'utf8');
  expect(await junitProblems(xml)).toEqual([]);
  const names = [...xml.matchAll(/<testcase name="([^"]*)"/g)].map(([, name]) => name ?? '').sort();
  expect(new Set(names).size).toBe(names.length);
  expect(xml).toContain(`tests="${names.length}" failures="${[...xml.matchAll(/<failure/g)].length}" errors="0" time`);
  expect(names).toHaveLength(success + failed + skipped + report.finally.length);
  const last = report.finally.filter((task: { readonly success: boolean }) => !task.success).length;
  expect([...xml.matchAll(/<failure/g)]).toHaveLength(failed + last);
  const tasks: readonly { readonly subtasks: number; readonly succeeded: number; readonly failed: number }[] = JSON.parse(
    status.stdout,
  ).tasks;
  const sum = (key: 'succeeded' | 'failed') => tasks.reduce((total, task) => total + task[key], 0);
  expect({ success: sum('succeeded'), failed: sum('failed') }).toEqual({ success, failed });
  return { success, failed, skipped, names };
}

/** The status in each checkpoint file of wave 1, by the subtask's part of its name. */
function statusesIn(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => [
      name.replace(/^wave1_|_results\.json$/g, ''),
      JSON.parse(readFileSync(join(folder, name), 'utf8')).status,
    ]),
  );
}

async function freshly(plan: string, files: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Promise<Told> {
  const folder = tempFolder();
  writeFiles(folder, files);
  await run(folder, plan, args);
  return toldBy(folder);
}

describe('reports of a run that was resumed with an edited plan', () => {
  it('count what the plan has now, and nothing else, like a run from scratch', async () => {
    const before = `tasks:
  shorter: { foreach: [a, b, bad], ${GOOD} }
  replaced: { foreach: [a, bad], ${GOOD} }
  middle: { foreach: [a, bad, c, d], ${GOOD} }
  twice: { foreach: [bad, a, bad], ${GOOD} }
  vanished: { run: exit 1 }
  alsovanished: { foreach: [a, bad], ${GOOD} }
  changed: { run: exit 1 }
  batched: { foreach: [a, b, bad, d], batch: 2, ${GOOD} }
  file: { foreach: { file: items.txt }, ${GOOD} }
  single: { run: exit 1 }
  last: { needs: [shorter], run: 'true' }
finally: { clean: { run: 'true' }, old: { run: exit 1 } }
`;
    const after = `tasks:
  shorter: { foreach: [a, b], ${GOOD} }
  replaced: { foreach: [a, c], ${GOOD} }
  middle: { foreach: [a, c, d], ${GOOD} }
  twice: { foreach: [a], ${GOOD} }
  renamed: { run: 'true' }
  changed: { run: 'true' }
  batched: { foreach: [a, b, c, d], batch: 3, ${GOOD} }
  file: { foreach: { file: items.txt }, ${GOOD} }
  single: { foreach: [a, b], ${GOOD} }
  last: { needs: [shorter], run: 'true' }
finally: { clean: { run: 'true' } }
`;
    const folder = tempFolder();
    expect(await run(folder, before)).toBe(1);
    expect((await toldBy(folder)).failed).toBeGreaterThan(5);
    writeFiles(folder, { 'items.txt': 'a\nb\n' });
    expect(await resume(folder, after)).toBe(0);
    const told = await toldBy(folder);
    expect(told).toEqual(await freshly(after, { 'items.txt': 'a\nb\n' }));
    expect(told).toMatchObject({ success: 17, failed: 0, skipped: 0 });
    const terminal = await waveplan(['report'], { cwd: folder });
    const shown = ['report.html', 'trace.json'].map((name) => readFileSync(join(folder, name), 'utf8'));
    for (const text of [terminal.stdout, ...shown]) expect(text).not.toMatch(/vanished|exit code 1/);
  });

  it('count a failure that stays once, under its name now', async () => {
    const plan = (items: string) => `tasks: { t: { foreach: [${items}], ${GOOD} } }\n`;
    const folder = tempFolder();
    const files = ['--checkpoint-files', 'each'];
    expect(await run(folder, plan('bad1, a, bad2, b'), files)).toBe(1);
    expect(await resume(folder, plan('a, bad2, b'))).toBe(1);
    expect(statusesIn(join(folder, 'each'))).toEqual({ 't-0': 'success', 't-1': 'failure', 't-2': 'success' });
    expect(await toldBy(folder)).toEqual({ success: 2, failed: 1, skipped: 0, names: ['t[0]', 't[1]', 't[2]'] });
    expect(readFileSync(join(folder, 'junit.xml'), 'utf8')).toMatch(/name="t\[1\]"[^>]*><failure/);
    // And again: what was there at first comes back, in its old place.
    expect(await resume(folder, plan('bad3'))).toBe(1);
    expect(await toldBy(folder)).toEqual({ success: 0, failed: 1, skipped: 0, names: ['t[0]'] });
    expect(statusesIn(join(folder, 'each'))).toEqual({ 't-0': 'failure' });
    expect(await resume(folder, plan('a, b'))).toBe(0);
    expect(statusesIn(join(folder, 'each'))).toEqual({ 't-0': 'success', 't-1': 'success' });
    expect(await toldBy(folder)).toEqual({ success: 2, failed: 0, skipped: 0, names: ['t[0]', 't[1]'] });
  });

  it('count a list that cannot be read once, however often the run is resumed', async () => {
    const plan = `tasks:
  a: { foreach: { file: items.txt }, ${GOOD} }
  b: { run: 'true' }
`;
    const folder = tempFolder();
    expect(await run(folder, plan)).toBe(1);
    expect(await resume(folder, plan)).toBe(1);
    expect(await toldBy(folder)).toEqual({ success: 1, failed: 1, skipped: 0, names: ['a', 'b'] });
  });

  it('count tasks in the waves that there are now', async () => {
    const deep = `tasks:
  a: { run: 'true' }
  b: { needs: [a], run: 'true' }
  c: { needs: [b], foreach: [x, y], ${GOOD} }
finally: { clean: { run: 'true' } }
`;
    const flat = `tasks:
  a: { run: 'true' }
  c: { needs: [a], foreach: [x, y], ${GOOD} }
finally: { clean: { run: 'true' } }
`;
    const folder = tempFolder();
    expect(await run(folder, deep)).toBe(0);
    expect(await resume(folder, flat)).toBe(0);
    expect((await toldBy(folder)).names).toEqual(['a', 'c[0]', 'c[1]', 'clean']);
    expect(await resume(folder, deep)).toBe(0);
    expect((await toldBy(folder)).names).toEqual(['a', 'b', 'c[0]', 'c[1]', 'clean']);
    expect(await resume(folder, flat.replace('[x, y]', '[y]'))).toBe(0);
    expect((await toldBy(folder)).names).toEqual(['a', 'c[0]', 'clean']);
  });

  it('count what earlier parts did in waves that the last one did not come to', async () => {
    const plan = (items: string) => `tasks:
  a: { foreach: [${items}], ${GOOD} }
  b: { run: 'true' }
  c: { needs: [b], run: 'true' }
`;
    const folder = tempFolder();
    expect(await run(folder, plan('x'))).toBe(0);
    writeFiles(folder, { 'plan.yaml': `${HEAD.replace('95%', '10%')}${plan('x, bad')}` });
    const done = await waveplan(['resume', '--yes', ...FILES], { cwd: folder });
    expect(done.code, done.text).toBe(1);
    expect(await toldBy(folder)).toEqual({ success: 3, failed: 1, skipped: 0, names: ['a[0]', 'a[1]', 'b', 'c'] });
  });

  it('count the part of the plan that was asked for', async () => {
    const plan = (items: string) => `tasks:
  a: { foreach: [${items}], ${GOOD} }
  b: { needs: [a], run: 'true' }
  gone: { run: exit 1 }
`;
    const folder = tempFolder();
    expect(await run(folder, plan('x, bad'), ['--only', 'a'])).toBe(1);
    expect(await resume(folder, plan('x'))).toBe(0);
    expect(await toldBy(folder)).toEqual({ success: 1, failed: 0, skipped: 0, names: ['a[0]'] });
  });

  it('count the last round of a session, in which a task is skipped that ran before', async () => {
    const plan = `${HEAD}tasks:
  a: { run: 'grep -q good a.txt', inputs: [a.txt] }
  other: { run: 'true', inputs: [] }
  b: { needs: [a], foreach: [x, y], inputs: [], run: 'true' }
`;
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': plan, 'a.txt': 'bad' });
    const watch = watching(['plan.yaml', '--yes', '--overhead', '1ms'], folder);
    for (const text of ['good', 'bad again']) {
      await watch.waitFor('Waiting for changes');
      writeFiles(folder, { 'a.txt': text });
    }
    await watch.waitFor('Waiting for changes');
    watch.signal('SIGINT');
    await watch.exit;
    const junit = await waveplan(['report', '-f', 'junit', '-o', 'junit.xml'], { cwd: folder });
    expect(junit.code, junit.text).toBe(0);
    const report = JSON.parse((await waveplan(['report', '-f', 'json'], { cwd: folder })).stdout);
    expect(report.statistics.subtasks).toMatchObject({ success: 1, failed: 1, skipped: 1 });
    const xml = readFileSync(join(folder, 'junit.xml'), 'utf8');
    expect([...xml.matchAll(/<testcase name="([^"]*)"/g)].map(([, name]) => name).sort()).toEqual(['a', 'b', 'other']);
  });
});
