import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { PROJECT, waveplan } from '../support/cli.js';
import { git, repository, tempFolder, writeFiles } from '../support/repository.js';

const SCHEMA = JSON.parse(readFileSync(new URL('../../schemas/calibration.schema.json', import.meta.url), 'utf8'));
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('waveplan bench', () => {
  it('measures, stores report and calibration, and leaves nothing else', async () => {
    const folder = repository({ 'a.txt': 'a' });
    const done = await waveplan(['bench', '--duration', '1s'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    const state = join(folder, '.waveplan');
    expect(readdirSync(state).sort()).toEqual(['.gitignore', 'bench', 'calibration.json']);
    const [name = '', ...others] = readdirSync(join(state, 'bench'));
    expect(others).toEqual([]);
    expect(readdirSync(join(state, 'bench', name)).sort()).toEqual(['report.json', 'report.md']);

    const stored = readJson(join(state, 'calibration.json'));
    const validate = new Ajv({ strictTypes: false }).compile(SCHEMA);
    expect(validate(stored), JSON.stringify(validate.errors)).toBe(true);
    const report = readJson(join(state, 'bench', name, 'report.json'));
    expect(stored.calibrations).toEqual([report.calibration]);
    expect(report.calibration).toMatchObject({ method: 'bench', machine: { node: process.version, arch: process.arch } });
    expect(report.calibration.iops).toBeGreaterThan(0);
    const ids: string[] = report.rows.map((row: { readonly id: string }) => row.id);
    for (const id of ['thread-start-1', 'dispatch-modules', 'command-start', 'checkpoint-append', 'barrier', 'synced-write']) {
      expect(ids).toContain(id);
    }
    expect(ids.filter((id) => id.startsWith('wave-commands-')).length).toBeGreaterThan(3);
    for (const row of report.rows) {
      expect(row.samples).toHaveLength(row.n);
      expect(row.p5 <= row.median && row.median <= row.p95, row.id).toBe(true);
    }
    expect(readFileSync(join(state, 'bench', name, 'report.md'), 'utf8')).toContain('| start of a worker thread |');
    expect(done.stderr).toContain(`${ids.length}/${ids.length} `);
    expect(git(folder, 'status', '--porcelain')).toBe('');

    // A second bench takes the place of the first one's calibration, and a run takes the folder for its own state.
    const out = join(folder, 'out');
    const again = await waveplan(['bench', '--duration', '100ms', '--out', out, '--json'], { cwd: folder });
    expect(again.code, again.text).toBe(0);
    expect(JSON.parse(again.stdout)).toEqual(readJson(join(out, 'report.json')));
    expect(readJson(join(state, 'calibration.json')).calibrations).toEqual([JSON.parse(again.stdout).calibration]);
    writeFileSync(join(folder, 'plan.yaml'), 'version: 1\nname: x\nbackup: none\ntasks: { a: { run: "true" } }\n');
    expect((await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder })).code).toBe(0);

    const compared = await waveplan(['bench', '--compare', join(state, 'bench', name), join(out, 'report.json')], {
      cwd: folder,
    });
    expect(compared.code, compared.text).toBe(0);
    expect(compared.stdout).toMatch(/of \d+ changed beyond the noise/);
  });

  it('tells changed rows from unchanged ones', async () => {
    const folder = tempFolder();
    const report = (start: number, barrier: number) => {
      const row = (id: string, middle: number) => {
        const samples = Array.from({ length: 30 }, (_, i) => middle * (1 + i / 300));
        return { id, name: id, samples };
      };
      return JSON.stringify({
        version: 1,
        measured: '',
        machine: { cpu: '' },
        versions: {},
        rows: [row('start', start), row('barrier', barrier)],
      });
    };
    writeFiles(folder, { 'a/report.json': report(30, 1), 'b/report.json': report(60, 1.01) });
    const done = await waveplan(['bench', '--compare', 'a', 'b/report.json'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(done.stdout).toMatch(/^start .* × 2\.00 +slower$/m);
    expect(done.stdout).toMatch(/^barrier .* × 1\.01 +no change beyond the noise$/m);
    expect(done.stdout).toContain('1 row of 2 changed');
    const json = JSON.parse((await waveplan(['bench', '--compare', 'a', 'b', '--json'], { cwd: folder })).stdout);
    expect(json.rows.map((row: { readonly verdict: string }) => row.verdict)).toEqual(['slower', 'same']);
  });

  it('refuses what it cannot use, and writes nothing', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'other.json': '{}' });
    for (const [args, text] of [
      [['--duration', 'soon'], '--duration'],
      [['--duration', '1ms'], '--duration'],
      [['--compare', 'other.json'], 'two reports'],
      [['--compare', 'other.json', 'missing.json'], 'other.json is not the report of a bench'],
    ] as const) {
      const done = await waveplan(['bench', ...args], { cwd: folder });
      expect(done.code, done.text).toBe(2);
      expect(done.stderr).toContain(text);
    }
    expect(existsSync(join(folder, '.waveplan'))).toBe(false);
  });

  it('does not take a folder of other files for its state', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'mine.txt': 'a' });
    const done = await waveplan(['bench', '--duration', '100ms', '--state-dir', '.'], { cwd: folder });
    expect(done.code, done.text).toBe(3);
    expect(readdirSync(folder)).toEqual(['mine.txt']);
  });
});

/** A quick calibration in a process of its own, and what the process left. Undefined where there is none. */
function quickCalibration(stateDir: string, options: { readonly budgetMs: number; readonly inState: boolean }) {
  const temporary = tempFolder();
  const script = `
    import { quickCalibration } from './dist/measure/quick.js';
    import { fingerprintOf, readMachine } from './dist/scaling/machine.js';
    const stateDir = ${options.inState ? JSON.stringify(stateDir) : 'undefined'};
    const machine = fingerprintOf(readMachine(), 'test');
    const calibration = await quickCalibration({ machine, stateDir, budgetMs: ${options.budgetMs} });
    console.log(JSON.stringify({ calibration }));`;
  const env = { ...process.env, TMPDIR: temporary };
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: PROJECT, env, encoding: 'utf8' });
  return { calibration: JSON.parse(printed).calibration, left: [...readdirSync(stateDir), ...readdirSync(temporary)] };
}

describe('a quick calibration', () => {
  // Time enough for every figure on any machine: that it ends in its budget is shown with a clock of the test's own.
  it('measures in the state folder, and leaves nothing there', () => {
    const { calibration, left } = quickCalibration(tempFolder(), { budgetMs: 20_000, inState: true });
    const validate = new Ajv({ strictTypes: false }).compile(SCHEMA);
    expect(validate({ version: 1, calibrations: [calibration] }), JSON.stringify(validate.errors)).toBe(true);
    expect(calibration).toMatchObject({ method: 'quick', machine: { waveplan: 'test', node: process.version } });
    expect(calibration.iops).toBeGreaterThan(0);
    expect(left).toEqual([]);
  });

  it('writes nothing to a state folder that it was not given, and says nothing of its disk', () => {
    const { calibration, left } = quickCalibration(tempFolder(), { budgetMs: 20_000, inState: false });
    expect(calibration.barrierSeconds).toBeGreaterThan(0);
    expect(calibration.iops).toBeUndefined();
    expect(left).toEqual([]);
  });

  it('is none, rather than a guess, where there is no time', () => {
    expect(quickCalibration(tempFolder(), { budgetMs: 1, inState: true })).toEqual({ calibration: undefined, left: [] });
  });
});
