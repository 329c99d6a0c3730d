/**
 * What is up to date, and `waveplan watch`: `npm run bench:watch`. Options: `--files N` (default 10000), `--saves N` (50),
 * `--only latency|unchanged`. Two parts, each in turns with its peer: from saving a file to its checkpoint, beside a plain chokidar
 * script that runs the same function; an unchanged plan beside its own full run, and beside ninja with nothing to do on as many files.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isInstalled, timeCommand, timeWaveplan } from '../peers/commands.ts';
import { printing } from './printing.ts';
import { makeTree, nameOf } from './tree.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PLAIN = fileURLToPath(new URL('plain.mjs', import.meta.url));
const REPORTS = fileURLToPath(new URL('../reports', import.meta.url));
/** Longer than a change counts as one with the change before it. */
const PAUSE_MS = 150;
const TIMES = 5;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    saves: { type: 'string', default: '50' },
    only: { type: 'string' },
  },
});
const files = Number(values.files);
const saves = Number(values.saves);

/** Milliseconds, by what took them, in the order in which they were measured. */
const samples: Record<string, number[]> = {};
const lines: string[] = [];

function say(line: string): void {
  console.log(line);
  lines.push(line);
}

function told(name: string, taken: readonly number[]): number {
  samples[name] = [...taken];
  const sorted = [...taken].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  say(`| ${name} | ${at(0.5).toFixed(1)} | ${at(0.95).toFixed(1)} | ${sorted.length} |`);
  return at(0.5);
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** The last record of the only wave of the newest run. */
function lastRecord(folder: string): { readonly task_id: string; readonly results: unknown } {
  const runs = join(folder, '.waveplan', 'runs');
  const file = openSync(join(runs, readdirSync(runs).sort().at(-1) ?? '', 'wave1.ndjson'), 'r');
  try {
    const bytes = Buffer.alloc(4096);
    const count = readSync(file, bytes, 0, bytes.length, Math.max(0, fstatSync(file).size - bytes.length));
    return JSON.parse(bytes.toString('utf8', 0, count).trimEnd().split('\n').at(-1) ?? '');
  } finally {
    closeSync(file);
  }
}

async function latency(): Promise<void> {
  const folders = { ours: makeTree(files, 'module'), plain: makeTree(files, 'module') };
  const taken = { ours: [] as number[], plain: [] as number[] };
  const ours = printing([MAIN, 'watch', 'plan.yaml', '--yes'], folders.ours);
  const plain = printing([PLAIN, folders.plain], folders.plain);
  try {
    await Promise.all([ours.next('Waiting for changes'), plain.next('ready')]);
    // The first of each makes everything warm, and does not count.
    for (let i = -1; i < saves; i++) {
      const file = (i + files) % files;
      const text = `saved ${'x'.repeat(i + 1)}`;
      await pause();
      let begun = performance.now();
      writeFileSync(join(folders.ours, nameOf(file)), text);
      // A file that was read while it was being written is read again.
      for (let right = false; !right; ) {
        await ours.next(' done: ');
        const ended = performance.now();
        const { task_id, results } = lastRecord(folders.ours);
        right = task_id === `upper[${file}]` && results === text.length;
        if (right && i >= 0) taken.ours.push(ended - begun);
      }
      await ours.next('Waiting for changes');
      await pause();
      begun = performance.now();
      writeFileSync(join(folders.plain, nameOf(file)), text);
      await plain.next('done');
      if (i >= 0) taken.plain.push(performance.now() - begun);
    }
    const ratio = told('save to checkpoint, `watch`', taken.ours) / told('save to result, plain chokidar script', taken.plain);
    say(`\nRatio of the medians: ${ratio.toFixed(2)} (aim: 1.5 at most)\n`);
  } finally {
    await Promise.all([ours.end('SIGINT'), plain.end('SIGTERM')]);
    for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
  }
}

function unchanged(plan: 'module' | 'command'): void {
  const folder = makeTree(files, plan);
  try {
    const args = ['run', 'plan.yaml', '--yes', '--quiet'];
    const full = timeWaveplan(args, folder);
    const withNinja = plan === 'command' && isInstalled('ninja');
    let ninjaFull = 0;
    if (withNinja) {
      const builds = Array.from({ length: files }, (_, i) => `build ninja/${i}: up ${nameOf(i)}`);
      writeFileSync(join(folder, 'build.ninja'), `rule up\n  command = tr a-z A-Z < $in > $out\n${builds.join('\n')}\n`);
      ninjaFull = timeCommand(['ninja'], folder);
    }
    const taken = { ours: [] as number[], ninja: [] as number[] };
    for (let i = -1; i < TIMES; i++) {
      const ms = timeWaveplan(args, folder);
      const ninja = withNinja ? timeCommand(['ninja'], folder) : 0;
      if (i < 0) continue;
      taken.ours.push(ms);
      if (withNinja) taken.ninja.push(ninja);
    }
    const first = told(`full run, ${plan}s`, [full]);
    const again = told(`unchanged, ${plan}s`, taken.ours);
    if (withNinja) {
      told('full build, ninja', [ninjaFull]);
      told('nothing to do, ninja', taken.ninja);
    }
    say(`\nUnchanged is ${(again / first).toFixed(3)} of the full run (aim: 0.05 at most)\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const HEADER = '| what | median ms | 95th percentile ms | samples |\n| --- | --- | --- | --- |';
const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}, ${arch()}), Node ${process.version}`;
const at = new Date().toISOString();
say(`# Watch, and what is up to date\n\n${files} files; each side in turns with its peer; ${machine}, ${at}.\n`);
if (values.only !== 'unchanged') {
  say(HEADER);
  await latency();
}
if (values.only !== 'latency') {
  for (const plan of ['module', 'command'] as const) {
    say(HEADER);
    unchanged(plan);
  }
}
if (values.only === undefined) {
  writeFileSync(join(REPORTS, 'watch.md'), `${lines.join('\n')}\n`);
  writeFileSync(join(REPORTS, 'watch.json'), `${JSON.stringify({ files, machine, at, samples }, null, 1)}\n`);
  console.log('Report: bench/reports/watch.md, raw samples beside it.');
}
