import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { junitProblems } from '../support/junit.js';
import { onlyRun, repository, tempFolder, writeFiles } from '../support/repository.js';
import { inTerminal } from '../support/terminal.js';
import { type TraceEvent, traceProblems } from '../support/trace.js';

const PLAN = `version: 1
name: told
backup: none
agents: 3
tasks:
  list: { phase: First, run: 'printf "%s\\n" 1 2 3 4 5 6 7 8 9 10 11 12', output: lines }
  each:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    retries: { max: 1, backoff: 1ms }
    run: 'if [ "$ITEM" = 7 ]; then echo "seven is odd"; echo "no good: $ITEM" >&2; exit 4; fi; [ "$ITEM" != 3 ] || [ "$ATTEMPT" = 2 ]'
  left: { needs: [list], if: "1 == 2", run: 'false' }
  last: { phase: Last, needs: [each], run: echo done }
finally: { clean: { run: 'true' } }
`;

/** A run of which one subtask of twelve fails, one is tried twice, and one task is left out. */
async function runTold(...args: readonly string[]): Promise<string> {
  const folder = repository({ 'plan.yaml': PLAN });
  const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms', ...args], { cwd: folder });
  expect(done.code, done.text).toBe(1);
  return folder;
}

describe('report', () => {
  it('makes the reports of a run again from its records alone, to the byte', async () => {
    const folder = await runTold();
    const run = onlyRun(folder);
    const [json, markdown] = ['report.json', 'report.md'].map((name) => readFileSync(join(run, name), 'utf8'));
    rmSync(join(run, 'report.json'));
    rmSync(join(run, 'report.md'));
    expect((await waveplan(['report', '--format', 'json'], { cwd: folder })).stdout).toBe(json);
    expect((await waveplan(['report', '--format', 'md'], { cwd: folder })).stdout).toBe(markdown);
    const panel = await waveplan(['report'], { cwd: folder });
    expect(panel.code).toBe(0);
    expect(panel.stdout).toContain('PARALLEL EXECUTION FAILED');
    expect(panel.stdout.slice(panel.stdout.lastIndexOf('╝'))).toContain('seven is odd');
    expect(readdirSync(run)).not.toContain('report.json');
  });

  it('shows failures last, with the end of what was said, after a run too', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    const tail = done.stdout.slice(done.stdout.lastIndexOf('╝'));
    expect(tail).toContain('1 failure, by cause');
    expect(tail).toContain('│ seven is odd\n  │ no good: 7\n');
  });

  it('writes JUnit that its schema takes, with every subtask once', async () => {
    const folder = await runTold('--junit', 'out/junit.xml');
    const xml = readFileSync(join(folder, 'out', 'junit.xml'), 'utf8');
    expect(await junitProblems(xml)).toEqual([]);
    expect(await junitProblems(xml.replace('time="', 'when="'))).not.toEqual([]);
    expect(xml).toContain('<testsuites name="told" tests="16" failures="1" errors="0"');
    const names = [...xml.matchAll(/<testcase name="([^"]*)"/g)].map(([, name]) => name);
    expect(names.sort()).toEqual(['clean', 'last', 'left', 'list', ...Array.from({ length: 12 }, (_, i) => `each[${i}]`)].sort());
    expect([...xml.matchAll(/<failure /g)]).toHaveLength(1);
    expect([...xml.matchAll(/<skipped>/g)]).toHaveLength(1);
  });

  it('writes a trace that keeps the rules of the format', async () => {
    const folder = await runTold('--trace', 'trace.json');
    const text = readFileSync(join(folder, 'trace.json'), 'utf8');
    expect(traceProblems(text)).toEqual([]);
    const { traceEvents } = JSON.parse(text) as { traceEvents: readonly TraceEvent[] };
    const subtasks = traceEvents.filter(({ ph, tid }) => ph === 'X' && tid > 0).map(({ name }) => name);
    expect(subtasks).toHaveLength(15);
    expect(traceEvents.filter(({ name }) => name.startsWith('retry each'))).toHaveLength(3);
    expect(traceEvents.filter(({ ph, tid }) => ph === 'X' && tid === 0).map(({ name }) => name)).toEqual([
      'wave 0: backup',
      'wave 1: First',
      'wave 2: each, left',
      'wave 3: Last',
    ]);
  });

  it('tells a run that was resumed as the resume told it: by what came of each subtask in the end', async () => {
    const plan = `version: 1
name: flaky
backup: none
agents: 2
failure: { major: 90%, critical: 95% }
tasks:
  each: { foreach: [1, 2, 3, 4, 5, 6], run: '[ "$ITEM" != 3 ] || [ -e mended ]' }
  edited: { run: echo first }
  last: { needs: [each], run: [echo, "\${{ size(tasks.each.results) }} done"] }
finally: { clean: { run: 'true' } }
`;
    const folder = repository({ 'plan.yaml': plan });
    const before = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    expect(before.code, before.text).toBe(1);
    writeFiles(folder, { mended: '', 'plan.yaml': plan.replace('echo first', 'echo second') });
    const resumed = await waveplan(['resume', '--resume-failed', '--yes'], { cwd: folder });
    expect(resumed.code, resumed.text).toBe(0);
    const run = onlyRun(folder);
    const again = async (format: string) => (await waveplan(['report', '-f', format], { cwd: folder })).stdout;
    expect(await again('json')).toBe(readFileSync(join(run, 'report.json'), 'utf8'));
    expect(await again('md')).toBe(readFileSync(join(run, 'report.md'), 'utf8'));
    for (const format of ['terminal', 'md', 'html'])
      expect((await again(format)).replace(/\s+║?\s*/g, ' '), format).toMatch(
        /Not run again\W+5 subtasks that had ended before/i,
      );
    const told = JSON.parse(await again('json'));
    expect(told).toMatchObject({ status: 'done', statistics: { subtasks: { success: 8, failed: 0 }, resumed: 5 }, failures: [] });
    const xml = await again('junit');
    expect(await junitProblems(xml)).toEqual([]);
    expect(xml).toContain('tests="9" failures="0"');
    expect([...xml.matchAll(/<testcase name="([^"]*)"/g)].map(([, name]) => name).sort()).toEqual(
      ['clean', 'each[0]', 'each[1]', 'each[2]', 'each[3]', 'each[4]', 'each[5]', 'edited', 'last'].sort(),
    );
    const trace = await again('trace');
    expect(traceProblems(trace)).toEqual([]);
    // What was done before is not in the time of what is told.
    expect(trace).not.toContain('"each[0]"');
    expect(trace).toContain('"each[2]"');
  });

  it('tells what a killed run got done', async () => {
    const folder = await runTold();
    const run = onlyRun(folder);
    const events = readFileSync(join(run, 'events.ndjson'), 'utf8').split('\n');
    const cut = events.findIndex((line) => line.includes('"wave-started"') && line.includes('"wave":2'));
    writeFileSync(join(run, 'events.ndjson'), `${events.slice(0, cut + 1).join('\n')}\n{"type":"wave-fin`);
    rmSync(join(run, 'wave3.ndjson'));
    const report = await waveplan(['report', '-f', 'json'], { cwd: folder });
    expect(report.code, report.text).toBe(0);
    const told = JSON.parse(report.stdout);
    expect(told.status).toBe('running');
    expect(told.statistics.subtasks).toMatchObject({ success: 12, failed: 1 });
    expect(told.warnings).toEqual([expect.stringMatching(/damaged: 17 bytes/)]);
    for (const format of ['terminal', 'md', 'html', 'junit', 'trace']) {
      expect((await waveplan(['report', '-f', format], { cwd: folder })).code, format).toBe(0);
    }
  });

  it('refuses what is no run, and a run without records', async () => {
    const folder = tempFolder();
    expect(await waveplan(['report'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no run'),
    });
    expect(await waveplan(['report', '../../etc'], { cwd: folder })).toMatchObject({ code: 2 });
    expect(await waveplan(['report', '-f', 'pdf'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices'),
    });
    writeFiles(folder, { 'plan.yaml': 'version: 1\nname: x\nbackup: none\ntasks: { a: { run: "true" } }\n' });
    await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder });
    rmSync(join(onlyRun(folder), 'events.ndjson'));
    expect(await waveplan(['report'], { cwd: folder })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('events.ndjson'),
    });
  });

  it('keeps a page that nobody reads in a terminal in the folder of the run', async () => {
    const folder = await runTold();
    const terminal = inTerminal(['report', '--format', 'html'], folder);
    await terminal.waitFor('report.html');
    expect(await terminal.exit).toBe(0);
    expect(readFileSync(join(onlyRun(folder), 'report.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });

  it('tells a run whose reports could not be written from one that failed', async () => {
    const folder = repository({ 'plan.yaml': 'version: 1\nname: x\nbackup: none\ntasks: { a: { run: "true" } }\n' });
    mkdirSync(join(folder, 'taken'));
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms', '--md', 'taken', '--junit', 'fine.xml'], {
      cwd: folder,
    });
    expect(done.code).toBe(3);
    expect(done.stderr).toContain('EISDIR');
    expect(existsSync(join(folder, 'fine.xml'))).toBe(true);
  });
});

describe('in GitHub Actions', () => {
  it('the report is on the job page, and each cause is an annotation', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(folder, 'summary.md'), GITHUB_WORKSPACE: folder };
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms'], { cwd: folder, env });
    expect(done.stdout).toContain('\n::error file=plan.yaml,title=1 failure in told::exit code 4: no good: 7 (each[6])\n');
    expect(done.stdout).toContain('\n::warning file=plan.yaml,title=told::1 subtask succeeded only after a retry\n');
    expect(readFileSync(join(folder, 'summary.md'), 'utf8')).toContain('# ❌ Parallel execution failed');
  });

  it('standard output stays data under --json', async () => {
    const folder = repository({ 'plan.yaml': PLAN });
    const done = await waveplan(['run', 'plan.yaml', '--yes', '--json', '--overhead', '3ms'], {
      cwd: folder,
      env: { GITHUB_ACTIONS: 'true' },
    });
    for (const line of done.stdout.trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
    expect(done.stderr).toContain('::error ');
  });
});

describe('graph', () => {
  it('draws the plan, and after a run its durations', async () => {
    const folder = await runTold();
    const plain = await waveplan(['graph', 'plan.yaml'], { cwd: folder });
    expect(plain.code, plain.text).toBe(0);
    expect(plain.stdout).toContain('t2[["each<br/>fan-out"]]');
    expect(plain.stdout).toContain('t1 ==> t2');
    const measured = await waveplan(['graph', 'plan.yaml', '--run'], { cwd: folder });
    expect(measured.stdout).toMatch(/t2\[\["each<br\/>12 subtasks, [\d.]+ m?s, failed"\]\]/);
    const dot = await waveplan(['graph', 'plan.yaml', '--run', '--format', 'dot'], { cwd: folder });
    expect(dot.stdout).toContain('{ rank=same; t2; t3; }');
    const svg = await waveplan(['graph', 'plan.yaml', '-f', 'svg', '-o', 'graph.svg'], { cwd: folder });
    expect(svg.stdout).toContain('Written: graph.svg');
    expect(readFileSync(join(folder, 'graph.svg'), 'utf8')).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  });

  it('refuses a bad plan, and a run that is not there', async () => {
    const folder = repository({ 'plan.yaml': PLAN, 'bad.yaml': 'version: 1\n' });
    expect(await waveplan(['graph', 'bad.yaml'], { cwd: folder })).toMatchObject({ code: 2 });
    expect(await waveplan(['graph', 'plan.yaml', '--run'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no run'),
    });
  });
});
