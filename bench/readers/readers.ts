/**
 * Times the readers against peers on the same bytes, in alternating order: a CSV file of 100 MB against csv-parse, a JSON list of 50 MB
 * and a million JSON lines against JSON.parse. With `--vs DIR`, also times `data/read` and `foreach: { file }` as whole commands against
 * another build.
 *
 * npm run bench:readers -- [--rounds 5] [--scale 1] [--vs DIR]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse as parseCsv } from 'csv-parse/sync';
import { parseJson } from '../../src/data/json.ts';
import { layoutOf } from '../../src/data/record-format.ts';
import { indexRecords } from '../../src/data/record-index.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    vs: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const scale = Number(values.scale);
const folder = mkdtempSync(join(tmpdir(), 'waveplan-readers-'));

/** A file of records, until it has this many bytes. */
function makeFile(name: string, bytes: number, record: (i: number) => string, around: readonly [string, string, string]): string {
  const file = join(folder, name);
  const [before, between, after] = around;
  const parts: string[] = [];
  let length = 0;
  for (let i = 0; length < bytes * scale; i++) {
    const text = record(i);
    parts.push(text);
    length += text.length + between.length;
  }
  writeFileSync(file, before + parts.join(between) + after);
  return file;
}

const object = (i: number) =>
  `{"id":${i},"name":"user ${i}","email":"u${i}@example.com","score":${Math.sqrt(i)},"tags":["a","b"],"note":"some text, of a usual length"}`;
const csv = makeFile('rows.csv', 100e6, (i) => `${i},user ${i},u${i}@example.com,${Math.sqrt(i)},"a note, quoted"`, [
  'id,name,email,score,note\n',
  '\n',
  '\n',
]);
const json = makeFile('list.json', 50e6, object, ['[', ',\n', ']']);
const lines = makeFile('lines.jsonl', 1e6 * 60, (i) => `{"id":${i},"name":"user ${i}","score":${i / 8}}`, ['', '\n', '\n']);

function index(file: string): void {
  const layout = layoutOf(file, {});
  if (!layout.ok) throw new Error(layout.error.message);
  const records = indexRecords(readFileSync(file), layout.value);
  if (!records.ok) throw new Error(records.error.message);
}

type Side = () => unknown;
const CASES: readonly (readonly [name: string, ours: Side, peer: Side, peerName: string])[] = [
  [
    'CSV, 100 MB',
    () => index(csv),
    () =>
      parseCsv(readFileSync(csv).subarray(0, 20e6 * scale), {
        columns: true,
        relax_column_count: true,
        relax_quotes: true,
        on_record: () => null,
      }),
    'csv-parse of a fifth of it',
  ],
  ['JSON list, 50 MB', () => index(json), () => JSON.parse(readFileSync(json, 'utf8')), 'JSON.parse'],
  [
    'JSON, 50 MB, as one value',
    () => parseJson(readFileSync(json, 'utf8')),
    () => JSON.parse(readFileSync(json, 'utf8')),
    'JSON.parse',
  ],
  [
    'a million JSON lines',
    () => index(lines),
    () => {
      for (const line of readFileSync(lines, 'utf8').split('\n')) if (line !== '') JSON.parse(line);
    },
    'split, JSON.parse of each',
  ],
];

function timed(side: Side): number {
  const begun = performance.now();
  side();
  return performance.now() - begun;
}

/** Pairs in turns, the order changing, and the ratios' median with their range. */
function compare(name: string, ours: Side, peer: Side, peerName: string): void {
  const pairs = Array.from({ length: rounds }, (_, i) => {
    if (i % 2 === 0) {
      const mine = timed(ours);
      return [mine, timed(peer)] as const;
    }
    const theirs = timed(peer);
    return [timed(ours), theirs] as const;
  });
  const middle = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
  const ratios = pairs.map(([mine, theirs]) => mine / theirs);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  process.stdout.write(
    `${name}: ${middle(pairs.map(([mine]) => mine)).toFixed(0)} ms, ${middle(ratios).toFixed(2)} of ${peerName} (${range})\n`,
  );
}

function command(build: string, task: string): Side {
  const plan = join(folder, 'plan.yaml');
  return () => {
    rmSync(join(folder, '.waveplan'), { recursive: true, force: true });
    writeFileSync(plan, `version: 1\nname: readers\nbackup: none\ntasks:\n  t: ${task}\n`);
    // A dry run expands a fan-out and runs none of its subtasks.
    const how = task.includes('foreach') ? ['-n'] : ['-y', '-q'];
    const args = [join(build, 'dist/cli/main.js'), 'run', plan, ...how, '-j', '1', '--overhead', '1ms'];
    const done = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stdout + done.stderr);
  };
}

try {
  for (const [name, ours, peer, peerName] of CASES) compare(name, ours, peer, peerName);
  if (values.vs !== undefined) {
    const other = resolve(values.vs);
    for (const file of ['rows.csv', 'list.json', 'lines.jsonl']) {
      const tasks = [
        `{ foreach: { file: ${file} }, run: "true" }`,
        `{ uses: data/read, with: { path: ${file}, from: 400000, limit: 10 } }`,
      ];
      for (const task of tasks)
        compare(
          `${file} ${task.includes('foreach') ? 'foreach' : 'data/read'}`,
          command(resolve('.'), task),
          command(other, task),
          values.vs,
        );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
