/**
 * waveplan beside its peers and beside the limits of the machine: `npm run bench:peers`.
 * Options: `--rounds N` (default 5), `--only WORD` (comparisons whose name has the word), `--small` (a tenth of the work).
 *
 * Every comparison runs its two sides in turns (A B A B …) after a run of each that does not count, so that a busy moment of
 * the machine meets both. Checkpoints are on. A peer that is not installed is left out, and named.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { medianOf } from '../../src/model/statistics.ts';
import { isInstalled, peakMemory, runPlan, timeCommand, timeWaveplan } from './commands.ts';
import { type LayeredTask, layeredGraph } from './layered.ts';
import { type Comparison, cellsOf, inTurns } from './samples.ts';

const REPORTS = fileURLToPath(new URL('../reports', import.meta.url));
const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' }, small: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const scale = values.small ? 0.1 : 1;
const cores = availableParallelism();

const folder = mkdtempSync(join(tmpdir(), 'waveplan-peers-'));
const path = (name: string) => join(folder, name);
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const leftOut: string[] = [];
const done: Comparison[] = [];

/** A bench as it stands in the list below: its name, and what measures it. */
const BENCHES: readonly (readonly [string, () => Promise<readonly Comparison[]>])[] = [
  ['modules', modules],
  ['commands', commands],
  ['real job', realJob],
  ['scale', million],
  ['declared', declaredTasks],
  ['eager', eager],
  ['start', start],
];

try {
  prepare();
  for (const [name, bench] of BENCHES) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
    for (const comparison of await bench()) {
      done.push(comparison);
      console.log(row(comparison));
    }
  }
  report();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function prepare(): void {
  writeFileSync(path('noop.mjs'), 'export default function noop() {\n  return null;\n}\n');
  writeFileSync(path('count.mjs'), 'export default ({ n }) => Array.from({ length: n }, (_, i) => i);\n');
  writeFileSync(path('wait.mjs'), 'export default ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms));\n');
  writeFileSync(
    path('hash-gzip.mjs'),
    `import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

export default function hashAndGzip(file) {
  const content = readFileSync(file);
  return { hash: createHash('sha256').update(content).digest('hex'), bytes: gzipSync(content).length };
}
`,
  );
  // One for all: what is measured below is not the calibration.
  writeFileSync(path('first.yaml'), fanOut('first', 8));
  runPlan(['first.yaml'], folder);
}

function fanOut(name: string, subtasks: number, extra = ''): string {
  return `version: 1
name: ${name}
backup: none
${extra}tasks:
  list: { uses: ./count.mjs, with: { n: ${subtasks} } }
  each: { needs: [list], foreach: "\${{ tasks.list.results }}", uses: ./noop.mjs }
`;
}

async function modules(): Promise<readonly Comparison[]> {
  const count = Math.round(100_000 * scale);
  writeFileSync(path('modules.yaml'), fanOut('modules', count));
  const perTask = (ms: number) => (1000 * ms) / count;
  return [
    await inTurns({
      name: `${count.toLocaleString('en')} no-op modules`,
      ours: {
        name: 'waveplan, the wave with its checkpoints',
        run: () => perTask(runPlan(['modules.yaml', '--agents', `${cores}`], folder).waves[1]?.durationMs ?? Number.NaN),
      },
      peer: {
        name: 'Piscina, one run() a task',
        run: () =>
          perTask(Number(execFileSync(process.execPath, [script('./piscina-one-by-one.mjs'), path('noop.mjs'), `${count}`]))),
      },
      rounds,
      unit: 'µs a task',
      aim: 0.15,
    }),
  ];
}

async function commands(): Promise<readonly Comparison[]> {
  const count = Math.round(2000 * scale);
  const comparisons: Comparison[] = [];
  for (const [command, aim] of [
    ['true', 1],
    ['/bin/true', 1.1],
  ] as const) {
    const name = `commands-${command.replaceAll('/', '')}`;
    writeFileSync(
      path(`${name}.yaml`),
      `version: 1
name: ${name}
backup: none
tasks:
  list: { uses: ./count.mjs, with: { n: ${count} } }
  each: { needs: [list], foreach: "\${{ tasks.list.results }}", run: "${command}" }
`,
    );
    const builds = Array.from({ length: count }, (_, i) => `build out${i}: run\n`).join('');
    writeFileSync(path(`${name}.ninja`), `rule run\n  command = ${command}\n${builds}`);
    writeFileSync(
      path(`${name}.mk`),
      `all: ${Array.from({ length: count }, (_, i) => `t${i}`).join(' ')}\n\nt%:\n\t@${command}\n`,
    );
    writeFileSync(path('lines.txt'), Array.from({ length: count }, (_, i) => `${i}\n`).join(''));
    const peers = [
      ['ninja', ['ninja', '-j2', '-f', `${name}.ninja`], aim],
      ['make', ['make', '-s', '-j2', '-f', `${name}.mk`], undefined],
      ['xargs', ['sh', '-c', `xargs -P2 -n1 sh -c '${command}' < lines.txt`], undefined],
      ['parallel', ['sh', '-c', `parallel -j2 --joblog jobs.log ${command} '#' < lines.txt`], undefined],
    ] as const;
    for (const [peer, argv, goal] of peers) {
      if (!isInstalled(peer)) {
        leftOut.push(peer);
        continue;
      }
      comparisons.push(
        await inTurns({
          name: `${count.toLocaleString('en')} commands '${command}', 2 agents`,
          ours: {
            name: 'waveplan',
            run: () => timeWaveplan(['run', `${name}.yaml`, '--yes', '--quiet', '--agents', '2'], folder),
          },
          peer: { name: peer, run: () => timeCommand(argv, folder) },
          rounds: peer === 'ninja' ? rounds : Math.min(rounds, 3),
          unit: 'ms',
          ...(goal !== undefined && { aim: goal }),
          note: 'whole commands, ours with its start and its report',
        }),
      );
      rmSync(path('.waveplan/runs'), { recursive: true, force: true });
      rmSync(path('.ninja_log'), { force: true });
    }
  }
  return comparisons;
}

async function realJob(): Promise<readonly Comparison[]> {
  const files = readdirSync(NODE_MODULES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((_, i) => i % Math.round(1 / scale) === 0);
  writeFileSync(path('files.json'), JSON.stringify(files));
  writeFileSync(
    path('hash-gzip.yaml'),
    `version: 1
name: hash-gzip
backup: none
type: computation
tasks:
  each: { foreach: { file: files.json }, with: "\${{ item }}", uses: ./hash-gzip.mjs }
`,
  );
  const name = `hash and gzip ${files.length.toLocaleString('en')} files`;
  const ours = {
    name: `waveplan, ${cores} agents, its waves`,
    run: () => runPlan(['hash-gzip.yaml', '--agents', `${cores}`], folder).statistics.wavesMs,
  };
  const plain = (file: string) =>
    Number(`${execFileSync(process.execPath, [script(file), path('files.json'), folder])}`.split(' ')[0]);
  const ideal = { name: 'the ideal: one plain script, over the cores', run: () => plain('./hash-gzip-plain.mjs') / cores };
  const threads = { name: `what this machine gives: ${cores} bare threads`, run: () => plain('./hash-gzip-threads.mjs') };
  const byHand = {
    name: `written by hand: ${cores} bare threads that write checkpoints`,
    run: () => plain('./hash-gzip-checkpoints.mjs'),
  };
  const atOnce = {
    name: `${cores} plain scripts at once, each with its share of the bytes`,
    run: () => plainScriptsAtOnce(files),
  };
  const unit = 'ms';
  return [
    await inTurns({ name, ours, peer: ideal, rounds, unit, aim: 1 / 0.95 }),
    await inTurns({ name, ours, peer: threads, rounds, unit }),
    await inTurns({ name, ours, peer: byHand, rounds, unit }),
    await inTurns({ name: `${name}: what checkpoints cost`, ours: byHand, peer: ideal, rounds, unit }),
    await inTurns({ name: `${name}: what every core costs the others`, ours: atOnce, peer: ideal, rounds, unit }),
  ];
}

/** As many plain scripts as there are cores, with nothing in common; the milliseconds of the one that took longest. */
async function plainScriptsAtOnce(files: readonly string[]): Promise<number> {
  const shares = Array.from({ length: cores }, () => ({ bytes: 0, files: new Set<string>() }));
  const sizes = files.map((file) => ({ file, bytes: statSync(file).size })).sort((a, b) => b.bytes - a.bytes);
  for (const { file, bytes } of sizes) {
    const least = shares.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.bytes += bytes;
    least.files.add(file);
  }
  const times = shares.map(async (share, i) => {
    const list = path(`share-${i}.json`);
    writeFileSync(list, JSON.stringify(files.filter((file) => share.files.has(file))));
    const { stdout } = await promisify(execFile)(process.execPath, [script('./hash-gzip-plain.mjs'), list]);
    return Number(stdout.split(' ')[0]);
  });
  return Math.max(...(await Promise.all(times)));
}

async function million(): Promise<readonly Comparison[]> {
  const large = Math.round(1_000_000 * scale);
  const small = Math.round(10_000 * scale);
  for (const count of [large, small]) writeFileSync(path(`scale-${count}.yaml`), fanOut('scale', count));
  const memory: number[] = [];
  const perTask = async (count: number) => {
    const { ms, megabytes } = await peakMemory(
      ['run', `scale-${count}.yaml`, '--yes', '--quiet', '--agents', `${cores}`, '--html', path('scale.html')],
      folder,
    );
    if (count === large) memory.push(megabytes);
    const runs = path('.waveplan/runs');
    const run = readdirSync(runs).sort().at(-1) ?? '';
    const report = JSON.parse(execFileSync('cat', [join(runs, run, 'report.json')], { encoding: 'utf8', maxBuffer: 1e9 }));
    rmSync(runs, { recursive: true });
    return (1000 * (report.waves[1]?.durationMs ?? ms)) / count;
  };
  const comparison = await inTurns({
    name: `${large.toLocaleString('en')} no-op modules`,
    ours: { name: `at ${large.toLocaleString('en')}`, run: () => perTask(large) },
    peer: { name: `at ${small.toLocaleString('en')}`, run: () => perTask(small) },
    rounds: Math.min(rounds, 3),
    unit: 'µs a task',
    aim: 1.3,
  });
  return [{ ...comparison, note: `peak memory ${Math.max(...memory).toFixed(0)} MB (aim: at most 700)` }];
}

async function declaredTasks(): Promise<readonly Comparison[]> {
  const count = Math.round(100_000 * scale);
  const tasks = layeredGraph({ tasks: count, layers: 20, seed: 7 });
  writeFileSync(
    path('declared.yaml'),
    layeredPlan('declared', tasks, () => 'run: "true"'),
  );
  return [
    await inTurns({
      name: `validate ${count.toLocaleString('en')} declared tasks in 20 layers`,
      ours: { name: 'waveplan validate', run: () => timeWaveplan(['validate', 'declared.yaml'], folder) },
      peer: { name: 'node -e 0', run: () => timeCommand([process.execPath, '-e', '0'], folder) },
      rounds: Math.min(rounds, 3),
      unit: 'ms',
      aim: 10,
    }),
  ];
}

function layeredPlan(name: string, tasks: readonly LayeredTask[], work: (task: LayeredTask) => string): string {
  const lines = tasks.map(
    (task) => `  ${task.id}: { ${task.needs.length > 0 ? `needs: [${task.needs.join(', ')}], ` : ''}${work(task)} }\n`,
  );
  return `version: 1\nname: ${name}\nbackup: none\ntasks:\n${lines.join('')}`;
}

/** Eager against the bound that no schedule can beat, from the durations that were measured in the very run. */
async function eager(): Promise<readonly Comparison[]> {
  const agents = 8;
  const tasks = layeredGraph({ tasks: Math.round(300 * Math.max(scale, 0.3)), layers: 10, seed: 20_261_125 });
  writeFileSync(
    path('layered.yaml'),
    layeredPlan('layered', tasks, ({ ms }) => `uses: ./wait.mjs, with: { ms: ${ms} }, estimate: ${ms}ms`),
  );
  const weight = new Map(tasks.map(({ id, ms }) => [id, ms]));
  const work = tasks.reduce((sum, { ms }) => sum + ms, 0);
  const bound = Math.max(work / agents, criticalPath(tasks, weight));
  const waves: number[] = [];
  const eagers: number[] = [];
  const told: number[] = [];
  const comparison = await inTurns({
    name: `${tasks.length} tasks of 1 to 100 ms in 10 layers, ${agents} agents, eager`,
    ours: {
      name: 'waveplan --sync eager, first start to last end',
      run: () => {
        const { makespanMs } = runPlan(['layered.yaml', '--agents', `${agents}`, '--sync', 'eager'], folder);
        eagers.push(makespanMs);
        return makespanMs;
      },
    },
    peer: {
      name: 'max(work / agents, critical path)',
      run: () => {
        const wave = runPlan(['layered.yaml', '--agents', `${agents}`], folder);
        waves.push(wave.makespanMs);
        told.push(1000 * (wave.barrier?.seconds ?? Number.NaN));
        return bound;
      },
    },
    rounds,
    unit: 'ms',
    aim: 1.05,
  });
  const difference = medianOf(waves) - medianOf(eagers);
  const off = Math.abs(medianOf(told) - difference) / difference;
  const note = `with barriers ${medianOf(waves).toFixed(0)} ms; their cost as reported ${medianOf(told).toFixed(0)} ms, as measured ${difference.toFixed(0)} ms: ${(100 * off).toFixed(1)}% off (aim: 10%)`;
  return [{ ...comparison, note }];
}

function criticalPath(tasks: readonly LayeredTask[], weight: ReadonlyMap<string, number>): number {
  const ends = new Map<string, number>();
  for (const { id, needs } of tasks)
    ends.set(id, Math.max(0, ...needs.map((need) => ends.get(need) ?? 0)) + (weight.get(id) ?? 0));
  return Math.max(...ends.values());
}

async function start(): Promise<readonly Comparison[]> {
  writeFileSync(path('one.yaml'), 'version: 1\nname: one\nbackup: none\ntasks:\n  a: { run: "true" }\n');
  return [
    await inTurns({
      name: 'a plan of one task, from command to exit',
      ours: { name: 'waveplan run', run: () => timeWaveplan(['run', 'one.yaml', '--yes', '--quiet'], folder) },
      peer: { name: 'node -e 0', run: () => timeCommand([process.execPath, '-e', '0'], folder) },
      rounds: 4 * rounds,
      unit: 'ms',
      aim: 2.5,
    }),
  ];
}

function row(comparison: Comparison): string {
  return `| ${[...cellsOf(comparison), comparison.note].join(' | ')} |`;
}

function report(): void {
  const lines = [
    '# Beside the peers and the limits of the machine',
    '',
    `${rounds} rounds in turns, ${cores} cores (${cpus()[0]?.model ?? 'unknown'}, ${arch()}), Node ${process.version}, ${new Date().toISOString()}.`,
    "Medians; the ratio is ours over the peer's, below 1 is faster; the spread is that of the ratios turn by turn. Checkpoints are on.",
    ...(leftOut.length === 0 ? [] : [`Not installed here: ${[...new Set(leftOut)].join(', ')}.`]),
    '',
    '| what | ours | peer | unit | ratio | spread | aim, at most | note |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...done.map(row),
    '',
  ];
  mkdirSync(REPORTS, { recursive: true });
  const name = values.only === undefined ? 'peers' : `peers-${values.only.replaceAll(' ', '-')}`;
  writeFileSync(join(REPORTS, `${name}.md`), lines.join('\n'));
  const raw = { rounds, node: process.version, at: new Date().toISOString(), comparisons: done };
  writeFileSync(join(REPORTS, `${name}.json`), `${JSON.stringify(raw, null, 1)}\n`);
  console.log(`Report: bench/reports/${name}.md, raw samples beside it.`);
}
