import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrated } from '../support/calibrated.js';
import { cleanEnv, MAIN, waveplan } from '../support/cli.js';
import { flat } from '../support/flat.js';
import { onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const MODULE = { 'work.mjs': 'export default (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));' };

function plan(type: string, task: string): Record<string, string> {
  return { ...MODULE, 'plan.yaml': `version: 1\nname: scaled\nbackup: none\ntype: ${type}\ntasks:\n  work: ${task}\n` };
}

const TWENTY = `[${Array.from({ length: 20 }, (_, i) => i).join(', ')}]`;

/** The decision of `plan --json`, started by `launcher` (such as `taskset -c 0`). */
function decisionUnder(launcher: readonly string[], cwd: string) {
  const [program = '', ...args] = [...launcher, process.execPath, MAIN, 'plan', 'plan.yaml', '--json', '--overhead', '1ms'];
  const done = spawnSync(program, args, { cwd, env: cleanEnv(), encoding: 'utf8' });
  expect(done.status, done.stderr).toBe(0);
  return JSON.parse(done.stdout).decision;
}

describe('what is not known is measured', () => {
  it('by a quick calibration, which says so, is kept by a run and not by a plan', async () => {
    const folder = tempFolder();
    writeFiles(folder, plan('general', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 1, estimate: 1ms }`));
    for (let i = 0; i < 2; i++) {
      const { stdout: planned } = await calibrated(['plan', 'plan.yaml'], folder);
      expect(flat(planned)).toContain('measured (a quick calibration on');
    }
    await calibrated(['run', 'plan.yaml', '--yes'], folder);
    const again = await waveplan(['plan', 'plan.yaml'], { cwd: folder });
    expect(again.stdout).not.toContain('Calibrated in');
    expect(flat(again.stdout)).toContain("in place of the methodology's 0.3 s");
  });

  it('is never taken from another machine, Node or waveplan', async () => {
    const folder = tempFolder();
    writeFiles(folder, plan('general', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 1, estimate: 1ms }`));
    await calibrated(['run', 'plan.yaml', '--yes'], folder);
    const file = join(folder, '.waveplan', 'calibration.json');
    const kept = readFileSync(file, 'utf8');
    for (const [field, other] of [
      ['"node": "v', '"node": "w'],
      ['"cores": ', '"cores": 1'],
      ['"waveplan": "', '"waveplan": "9'],
    ] as const) {
      expect(kept).toContain(field);
      writeFiles(folder, { '.waveplan/calibration.json': kept.replaceAll(field, other) });
      await calibrated(['plan', 'plan.yaml'], folder);
    }
  });

  it('and decided anew where subtasks take much longer than the plan says', async () => {
    const folder = tempFolder();
    const items = JSON.stringify(Array.from({ length: 200 }, (_, i) => i));
    writeFiles(folder, plan('network_operations', `{ foreach: ${items}, uses: ./work.mjs, with: 100, estimate: 2ms }`));
    const { stdout } = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '1ms', '--json'], { cwd: folder });
    expect(stdout).toMatch(/"type":"agents-changed".*"reason":"subtasks take \d+ ms, and 2 ms were expected/);
  });

  it('by a probe where a task has neither history nor estimate; the next run knows it', async () => {
    const folder = tempFolder();
    writeFiles(folder, plan('network_operations', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 5 }`));
    const first = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(first.code, first.text).toBe(0);
    expect(flat(first.stdout)).toContain('the first subtasks are a probe, and the decision follows it');
    expect(first.stdout).toContain('Scaling for wave 1');
    const second = await waveplan(['plan', 'plan.yaml', '--json'], { cwd: folder });
    const { average } = JSON.parse(second.stdout);
    expect(average.source).toBe('history');
    expect(average.minutes * 60_000).toBeGreaterThanOrEqual(5);
    const report = JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8'));
    expect(report.redecisions.length).toBeGreaterThanOrEqual(1);
  });
});

describe('the decision follows the machine', () => {
  it('under taskset: one core carries four agents of computation', () => {
    const folder = tempFolder();
    writeFiles(folder, plan('computation', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 1, estimate: 5m }`));
    const decision = decisionUnder(['taskset', '-c', '0'], folder);
    expect(decision).toMatchObject({ formula: { agents: 4 }, capacity: { agents: 4, limit: 'cores' }, fit: { agents: 1 } });
    const cores = Number(execFileSync('nproc', { encoding: 'utf8' }));
    expect(decisionUnder(['env'], folder)).toMatchObject({
      formula: { agents: Math.min(20, 4 * cores) },
      fit: { agents: Math.min(20, cores) },
    });
  });

  it('under prlimit: less memory carries fewer agents', () => {
    const folder = tempFolder();
    writeFiles(folder, plan('general', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 1, estimate: 5m }`));
    const decision = decisionUnder(['prlimit', `--as=${4_000_000_000}`], folder);
    expect(decision).toMatchObject({ formula: { agents: 20 }, capacity: { agents: 8, limit: 'memory' }, fit: { agents: 7 } });
  });

  it('under prlimit: few open files admit fewer agents, and the run says so', async () => {
    const folder = tempFolder();
    writeFiles(folder, plan('network_operations', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 1, estimate: 5m }`));
    const args = ['--nofile=96', process.execPath, MAIN, 'run', 'plan.yaml', '--yes', '--overhead', '1ms'];
    const done = spawnSync('prlimit', args, { cwd: folder, env: cleanEnv(), encoding: 'utf8' });
    expect(done.status, done.stdout + done.stderr).toBe(0);
    expect(done.stdout).toMatch(/20 → \d+ agents?, no more than that at once: \d+ more open files are allowed/);
  });
});

describe('one agent', () => {
  it('runs in the own thread of the coordinator, with no pool, and says why', async () => {
    const folder = tempFolder();
    const task = `{ foreach: [1, 2, 3], uses: ./where.mjs, estimate: 1ms }`;
    writeFiles(folder, {
      ...plan('general', task),
      'where.mjs': `import { isMainThread } from 'node:worker_threads'; export default () => { console.log('said'); return isMainThread; };`,
    });
    const run = async (...args: readonly string[]) => {
      const done = await waveplan(['run', 'plan.yaml', '--yes', '--json', '--overhead', '1s', ...args], { cwd: folder });
      expect(done.code, done.text).toBe(0);
      const events = done.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      return {
        threads: events.find(({ type }) => type === 'wave-started').threads,
        main: events.filter(({ type }) => type === 'subtask-finished').map(({ checkpoint }) => checkpoint.results),
      };
    };
    // A module comes to the coordinator's thread only when it is known to end.
    expect(await run()).toEqual({ threads: 1, main: [false, false, false] });
    expect(await run()).toEqual({ threads: 0, main: [true, true, true] });
    expect(await run('--timeout', '1m')).toEqual({ threads: 1, main: [false, false, false] });
    const shown = await waveplan(['plan', 'plan.yaml', '--overhead', '1s'], { cwd: folder });
    expect(flat(shown.stdout)).toMatch(/Reason: .*one after another/);
  });
});

describe('--scaling and --what-if', () => {
  it("run the formula's own number, and show what others would take", async () => {
    const folder = tempFolder();
    writeFiles(folder, plan('network_operations', `{ foreach: ${TWENTY}, uses: ./work.mjs, with: 1, estimate: 3m }`));
    const base = ['plan', 'plan.yaml', '--overhead', '30s'];
    const fit = JSON.parse((await waveplan([...base, '--json'], { cwd: folder })).stdout).decision;
    const formula = JSON.parse((await waveplan([...base, '--json', '--scaling', 'formula'], { cwd: folder })).stdout).decision;
    expect(formula.decided.agents).toBe(20);
    expect(fit.decided.agents).toBeLessThan(20);
    const shown = await waveplan([...base, '--what-if'], { cwd: folder });
    for (const word of ['Agents', 'Predicted time', 'Overhead', 'ROI', 'the decided count']) expect(shown.stdout).toContain(word);
    const table = await waveplan(['scale', '--subtasks', '1000', '--avg', '3s', '--overhead', '0.3s', '--what-if', '--json'], {
      cwd: folder,
    });
    const rows = JSON.parse(table.stdout).whatIf as { agents: number; seconds: number; decided: boolean }[];
    expect(rows.map(({ agents }) => agents)).toEqual(expect.arrayContaining([1, 2, 4, 8, 16, 32]));
    expect(rows.filter(({ decided }) => decided)).toHaveLength(1);
  });
});
