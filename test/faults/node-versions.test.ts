import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type CliResult, cleanEnv, MAIN, PROJECT } from '../support/cli.js';
import { fault } from '../support/faults.js';
import { nodeVersions } from '../support/node-versions.js';
import { linesOf } from '../support/processes.js';
import { tempFolder, writeFiles } from '../support/repository.js';

const PLAN = `version: 1
name: versions
backup: none
tasks:
  list: { run: 'printf "a\\nb\\n"', output: lines }
  each: { needs: [list], foreach: "\${{ tasks.list.results.stdout }}", run: 'echo "$ITEM" >> ran' }
  plain: { needs: [list], foreach: "\${{ tasks.list.results.stdout }}", uses: ./plain.mjs }
  typed: { needs: [plain], uses: ./typed.ts, with: { all: "\${{ tasks.plain.results }}" }, success: ["results.text == 'AB'"] }
  gate: { needs: [each, typed], run: 'echo gate >> ran; test -e go' }
`;
const FILES = {
  'plan.yaml': PLAN,
  'plain.mjs': 'export default async (_, { item }) => ({ upper: item.toUpperCase() });\n',
  'typed.ts': `enum Glue { none = '' }
export default function typed({ all }: { all: readonly { upper: string }[] }): { text: string } {
  return { text: all.map(({ upper }) => upper).join(Glue.none) };
}
`,
};
const RUN = ['run', 'plan.yaml', '--yes', '-q', '-j', '2', '--overhead', '1ms'];
const ONE = ['run', 'one.yaml', '--yes', '-q', '--overhead', '1ms'];

/** A folder with an installed copy, made once by `npm pack` and `npm install`. */
let installed = '';

beforeAll(() => {
  installed = mkdtempSync(join(tmpdir(), 'waveplan-installed-'));
  const npm = (...args: readonly string[]) =>
    execFileSync('npm', [...args, '--loglevel=error'], { cwd: installed, encoding: 'utf8' });
  const [packed] = JSON.parse(npm('pack', PROJECT, '--ignore-scripts', '--json')) as readonly [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  expect(packed.files.map(({ path }) => path).filter((path) => /(^|\/)\.|\.cache$/.test(path))).toEqual([]);
  writeFiles(installed, { 'package.json': '{ "private": true }' });
  npm('install', packed.filename, '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock');
});

afterAll(() => rmSync(installed, { recursive: true, force: true }));

const installedMain = () => join(installed, 'node_modules/waveplan/dist/cli/main.js');
const packageCache = () => join(installed, 'node_modules/waveplan/dist/.code-cache');

/** Runs a copy of the command, with a home folder that it can have to itself. */
function under(
  node: string,
  args: readonly string[],
  { cwd, main = installedMain(), env = {}, as = [] }: { cwd: string; main?: string; env?: Record<string, string>; as?: string[] },
): Promise<CliResult> {
  const [program = '', ...rest] = [...as, node, main, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd, env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, stdout, stderr, text: `${signal ?? ''}${stdout}${stderr}` }));
  });
}

/** A folder with a plan of one command. */
function onePlan(): string {
  const folder = tempFolder();
  writeFiles(folder, { 'one.yaml': 'version: 1\nname: one\nbackup: none\ntasks: { a: { run: "true" } }\n' });
  return folder;
}

async function succeeds(result: Promise<CliResult>): Promise<CliResult> {
  const ended = await result;
  expect(ended.code, ended.text).toBe(0);
  expect(ended.stderr).toBe('');
  return ended;
}

describe('releases of Node', () => {
  fault(37, 'every release runs the built command and an installed copy after another one did', ['nodeVersions'], async () => {
    // As on the machine of the build: its own release comes first.
    for (const main of [MAIN, installedMain()]) await succeeds(under(process.execPath, ONE, { cwd: onePlan(), main }));
    for (const { version, node } of nodeVersions()) {
      expect(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()).toBe(version);
      await succeeds(under(node, ONE, { cwd: onePlan(), main: MAIN }));
      const cwd = tempFolder();
      writeFiles(cwd, FILES);
      const first = await under(node, RUN, { cwd });
      expect(first.code, `${version}: ${first.text}`).toBe(1);
      expect(first.stderr).not.toMatch(/Warning|DEP\d|--trace/);
      writeFiles(cwd, { go: '' });
      await succeeds(under(node, ['resume', '--resume-failed', '-q'], { cwd }));
      expect([...linesOf(join(cwd, 'ran'))].sort()).toEqual(['a', 'b', 'gate', 'gate']);
      const report = await succeeds(under(node, ['report', '--format', 'json'], { cwd }));
      expect(JSON.parse(report.stdout)).toMatchObject({ status: 'done' });
    }
  });

  fault(37, 'compiled code that is torn, or that another user could have written, is not used', ['otherUser'], async () => {
    const cwd = onePlan();
    rmSync(packageCache(), { recursive: true, force: true });
    await succeeds(under(process.execPath, ONE, { cwd }));
    const [name = '', ...more] = readdirSync(packageCache());
    expect(more).toEqual([]);
    const file = join(packageCache(), name);
    const kept = readFileSync(file);
    // Code that V8 crashes on: the head, by which it accepts a cache, is right, and so is our checksum.
    const planted = Buffer.concat([kept.subarray(0, 256), Buffer.alloc(kept.length - 256, 0x5a)]);
    planted.writeUInt32LE(crc32(planted.subarray(4)));
    const restore = () => {
      rmSync(packageCache(), { recursive: true });
      mkdirSync(packageCache());
      writeFileSync(file, kept, { mode: 0o644 });
    };
    const damages: Readonly<Record<string, () => void>> = {
      'cut short': () => writeFileSync(file, kept.subarray(0, kept.length / 2)),
      empty: () => writeFileSync(file, ''),
      'flipped bytes': () => writeFileSync(file, Buffer.concat([kept.subarray(0, 256), planted.subarray(256)])),
      'writable by others': () => {
        writeFileSync(file, planted);
        chmodSync(file, 0o666);
      },
      'in a folder that others can write': () => {
        writeFileSync(file, planted);
        chmodSync(packageCache(), 0o1777);
      },
      'of another user': () => {
        writeFileSync(file, planted);
        chownSync(file, 54321, 54321);
      },
    };
    for (const [damage, make] of Object.entries(damages)) {
      restore();
      make();
      const { code, text } = await under(process.execPath, ONE, { cwd, env: { HOME: cwd } });
      expect(code, `${damage}: ${text}`).toBe(0);
    }
    rmSync(packageCache(), { recursive: true });
  });

  fault(37, 'first uses at once keep one whole file; looking keeps none', [], async () => {
    rmSync(packageCache(), { recursive: true, force: true });
    const home = tempFolder();
    const cwd = onePlan();
    const env = { HOME: home };
    for (const args of [['--version'], ['validate', 'one.yaml'], ['run', 'one.yaml', '--dry-run', '-q']])
      await succeeds(under(process.execPath, args, { cwd, env }));
    expect([readdirSync(home), readdirSync(cwd), existsSync(packageCache())]).toEqual([[], ['one.yaml'], false]);
    await Promise.all([1, 2, 3].map(() => succeeds(under(process.execPath, ONE, { cwd: onePlan(), env }))));
    expect(readdirSync(packageCache())).toEqual([expect.stringMatching(new RegExp(`^run-.*-${process.version}-`))]);
    expect(readdirSync(home)).toEqual([]);
  });

  fault(
    37,
    'users who do not own the package keep compiled code in their own cache folder, if they have one',
    ['otherUser'],
    async () => {
      rmSync(packageCache(), { recursive: true, force: true });
      const as = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];
      const home = tempFolder();

      // Where another user may read: temporary folders are their owner's alone.
      for (const folder of [home, installed]) chmodSync(folder, 0o755);
      const cwd = onePlan();
      chownSync(cwd, 54321, 54321);
      const run = (env: Record<string, string>) => succeeds(under(process.execPath, ONE, { cwd, env, as }));
      await run({ HOME: home });
      expect(readdirSync(home)).toEqual([]);
      chownSync(home, 54321, 54321);
      await run({ HOME: home });
      expect(readdirSync(join(home, '.cache/waveplan'))).toHaveLength(1);
      await run({ HOME: '/', XDG_CACHE_HOME: join(home, 'elsewhere') });
      expect(readdirSync(join(home, 'elsewhere/waveplan'))).toHaveLength(1);
      expect(existsSync(packageCache())).toBe(false);
    },
  );
});
