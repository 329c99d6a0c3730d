/**
 * What is up to date, and `waveplan watch`: `npm run bench:watch`. Options: `--files N` (default 10000), `--saves N` (50),
 * `--edits N` (2000). Three parts: from saving a file to the end of its round, beside a plain chokidar script, in turns; an unchanged plan
 * beside its full run and beside ninja with nothing to do; memory and open files of a session over many edits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isInstalled, timeCommand, timeWaveplan } from '../peers/commands.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PLAIN = fileURLToPath(new URL('plain.mjs', import.meta.url));
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    saves: { type: 'string', default: '50' },
    edits: { type: 'string', default: '2000' },
  },
});
const files = Number(values.files);
const folder = mkdtempSync(join(tmpdir(), 'waveplan-watch-'));
const nameOf = (i: number) => `src/${i % 100}/${i}.txt`;
const PLAN = `version: 1
name: watch-bench
backup: none
tasks:
  upper:
    foreach: { file: files.txt }
    uses: ./upper.mjs
    with: { file: "\${{ item }}" }
    inputs: ["\${{ item }}"]
    outputs: ["out/\${{ item }}"]
`;

/** A process that prints lines, one of which is waited for. */
interface Printing {
  readonly child: ChildProcess;
  readonly next: (text: string) => Promise<void>;
}

function printing(args: readonly string[]): Printing {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  let look = () => {};
  let fail: (error: Error) => void = () => {};
  child.once('exit', () => fail(new Error('a process ended too early')));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
    look();
  });
  const next = (text: string) =>
    new Promise<void>((resolve, reject) => {
      look = () => {
        const at = printed.indexOf(text);
        if (at < 0) return;
        printed = printed.slice(at + text.length);
        look = () => {};
        fail = () => {};
        resolve();
      };
      fail = reject;
      look();
    });
  return { child, next };
}

function save(i: number, text: string): void {
  writeFileSync(join(folder, nameOf(i)), text);
}

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
function told(name: string, samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  console.log(
    `${name}: median ${at(sorted, 0.5).toFixed(1)} ms, 95th percentile ${at(sorted, 0.95).toFixed(1)} ms of ${sorted.length}`,
  );
  return at(sorted, 0.5);
}

async function latency(): Promise<void> {
  const saves = Number(values.saves);
  const samples = { ours: [] as number[], plain: [] as number[] };
  const ours = printing([MAIN, 'watch', 'plan.yaml', '--yes']);
  await ours.next('Waiting for changes');
  for (let i = 0; i < saves; i++) {
    const begun = performance.now();
    save(i % files, `ours ${i}`);
    await ours.next('Round');
    await ours.next(' done: ');
    samples.ours.push(performance.now() - begun);
    await ours.next('Waiting for changes');
  }
  await memory(ours);
  ours.child.kill('SIGINT');
  await new Promise((resolve) => ours.child.once('close', resolve));
  const plain = printing([PLAIN, folder]);
  await plain.next('ready');
  for (let i = 0; i < saves; i++) {
    const begun = performance.now();
    save((i * 7) % files, `plain ${i}`);
    await plain.next('done');
    samples.plain.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  plain.child.kill();
  const ratio = told('watch, from save to the end of its round', samples.ours) / told('plain chokidar script', samples.plain);
  console.log(`ratio of the medians: ${ratio.toFixed(2)} (aim: 1.5 at most)`);
}

async function memory({ child, next }: Printing): Promise<void> {
  const edits = Number(values.edits);
  const state = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return { megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, handles: readdirSync(`/proc/${child.pid}/fd`).length };
  };
  for (let i = 0; i < edits; i++) {
    if (i % Math.max(1, Math.floor(edits / 5)) === 0) {
      const { megabytes, handles } = state();
      console.log(`after ${i} edits: ${megabytes.toFixed(0)} MB, ${handles} open files`);
    }
    save(i % files, `edit ${i} of a session`);
    await next('Waiting for changes');
  }
  const { megabytes, handles } = state();
  console.log(`after ${edits} edits: ${megabytes.toFixed(0)} MB, ${handles} open files`);
}

function unchanged(): void {
  const args = ['run', 'plan.yaml', '--yes', '--quiet'];
  const full = timeWaveplan(args, folder);
  timeWaveplan(args, folder);
  const again = [1, 2, 3].map(() => timeWaveplan(args, folder));
  const median = told(`unchanged plan of ${files} subtasks`, again);
  console.log(`full run: ${full.toFixed(0)} ms; unchanged is ${(median / full).toFixed(3)} of it (aim: 0.05 at most)`);
  if (!isInstalled('ninja')) {
    console.log('ninja is not installed: left out');
    return;
  }
  const builds = Array.from({ length: files }, (_, i) => `build ninja/${i}: up ${nameOf(i)}`);
  writeFileSync(join(folder, 'build.ninja'), `rule up\n  command = tr a-z A-Z < $in > $out\n${builds.join('\n')}\n`);
  timeCommand(['ninja'], folder);
  told(
    'ninja with nothing to do',
    [1, 2, 3].map(() => timeCommand(['ninja'], folder)),
  );
}

try {
  for (let i = 0; i < 100; i++) mkdirSync(join(folder, 'src', String(i)), { recursive: true });
  for (let i = 0; i < files; i++) save(i, `file ${i}`);
  writeFileSync(join(folder, 'files.txt'), Array.from({ length: files }, (_, i) => `${nameOf(i)}\n`).join(''));
  writeFileSync(join(folder, 'plan.yaml'), PLAN);
  cpSync(fileURLToPath(new URL('upper.mjs', import.meta.url)), join(folder, 'upper.mjs'));
  unchanged();
  await latency();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
