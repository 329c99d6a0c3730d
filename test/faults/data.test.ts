import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { waveplan } from '../support/cli.js';
import { fault } from '../support/faults.js';
import { httpServer } from '../support/http-server.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: data\nbackup: none\n';

/** The failure message, or else the results, of each task of a plan. */
async function outcomes(folder: string, tasks: string, args: readonly string[] = []) {
  writeFiles(folder, { 'plan.yaml': `${HEAD}defaults: { retries: { max: 0 } }\ntasks:\n${tasks}` });
  const done = await waveplan(['run', 'plan.yaml', '-y', '-k', '-q', '--overhead', '1ms', ...args], { cwd: folder });
  const ended = checkpointsOf(onlyRun(folder)).map(
    ({ task_id, error, results }) => [task_id, error?.message ?? results] as const,
  );
  return { done, ends: Object.fromEntries(ended) as Readonly<Record<string, unknown>> };
}

const TOO_LARGE = 'the number 9007199254740993 would become 9007199254740992: write it as text, in quotes';
const LATIN1 = 'not UTF-8 text: the byte 0xE9';

describe('data', () => {
  fault(29, 'numbers and bytes that cannot be held are refused by every door, with the place', [], async () => {
    const folder = tempFolder();
    const server = await httpServer((response, { path }) => {
      const [type = '', body = ''] = ANSWERS[path] ?? [];
      response.setHeader('content-type', type);
      response.end(Buffer.from(body, 'latin1'));
    });
    writeFiles(folder, {
      'ids.jsonl': '{"id": 1}\n{"id": 9007199254740993}\n',
      'ids.json': '[{"id": 1},\n  {"id": 1e400}]',
      'value.json': '{"id": 9007199254740993}',
      'nan.mjs': 'export default () => ({ ratio: 0 / 0 });\n',
    });
    for (const name of ['latin1.csv', 'latin1.txt']) writeFileSync(join(folder, name), Buffer.from('name\ncaf\xe9\n', 'latin1'));
    const { done, ends } = await outcomes(
      folder,
      `
  items-jsonl: { foreach: { file: ids.jsonl }, run: "true" }
  items-json: { foreach: { file: ids.json }, run: "true" }
  items-csv: { foreach: { file: latin1.csv }, run: "true" }
  items-txt: { foreach: { file: latin1.txt }, run: "true" }
  read-jsonl: { uses: data/read, with: { path: ids.jsonl } }
  read-json: { uses: data/read, with: { path: ids.json } }
  read-value: { uses: data/read, with: { path: value.json } }
  read-csv: { uses: data/read, with: { path: latin1.csv } }
  read-latin1: { uses: data/read, with: { path: latin1.csv, encoding: latin1 } }
  file: { uses: files/read, with: { path: latin1.txt } }
  json: { run: "echo '[1, 9007199254740993]'", output: json }
  json-bytes: { run: "printf '\\"\\\\351\\"'", output: json }
  lines: { run: "printf 'a\\\\nb\\\\351\\\\n'", output: lines }
  json-mark: { run: "printf '\\\\357\\\\273\\\\277[1]'", output: json }
  lines-mark: { run: "printf '\\\\357\\\\273\\\\277a\\\\nb'", output: lines }
  module: { uses: ./nan.mjs }
  http-json: { uses: http/request, with: { url: "${server.url}/json" } }
  http-bytes: { uses: http/request, with: { url: "${server.url}/bytes" } }
  http-latin1: { uses: http/request, with: { url: "${server.url}/latin1" } }
  http-unknown: { uses: http/request, with: { url: "${server.url}/unknown" } }
  http-base64: { uses: http/request, with: { url: "${server.url}/unknown", parse: base64 } }
  answer: { uses: agent/prompt, with: { command: [echo, '{"id": 9007199254740993}'], prompt: x, answer: json } }
`,
    );
    const encoding = 'save the file as UTF-8 or add its encoding, such as encoding: latin1';
    expect(done.code).toBe(1);
    expect(ends).toMatchObject({
      'items-jsonl': `foreach: ids.jsonl:2:8: ${TOO_LARGE}`,
      'items-json': 'foreach: ids.json:2:10: the number 1e400 is too large: write it as text, in quotes',
      'items-csv': `foreach: latin1.csv:2:4: ${LATIN1}; ${encoding}`,
      'items-txt': `foreach: latin1.txt:2:4: ${LATIN1}; ${encoding}`,
      'read-jsonl': `"ids.jsonl":2:8: ${TOO_LARGE}`,
      'read-json': '"ids.json":2:10: the number 1e400 is too large: write it as text, in quotes',
      'read-value': `"value.json":1:8: ${TOO_LARGE}`,
      'read-csv': `"latin1.csv":2:4: ${LATIN1}; ${encoding}`,
      'read-latin1': { items: [{ name: 'café' }] },
      file: `"latin1.txt":2:4: ${LATIN1}; 'encoding: base64' reads any bytes`,
      json: `output: json: standard output, line 1, column 5: ${TOO_LARGE}`,
      'json-bytes': `output: json: standard output, line 1, column 2: ${LATIN1}`,
      lines: `output: lines: standard output, line 2, column 2: ${LATIN1}`,
      'json-mark': { stdout: [1] },
      'lines-mark': { stdout: ['a', 'b'] },
      module: "the module's result is not representable as JSON: NaN under 'ratio' would become null; return text or null",
      'http-json': `the answer, line 1, column 8: ${TOO_LARGE}`,
      'http-bytes': `the answer, which names no charset, line 1, column 4: ${LATIN1}; 'saveTo' and 'parse: base64' keep its bytes`,
      'http-latin1': { body: 'café €' },
      'http-unknown': `the answer is in the unknown charset "x-none"; 'saveTo' and 'parse: base64' keep its bytes`,
      'http-base64': { body: Buffer.from('café', 'latin1').toString('base64') },
      answer: `the answer, line 1, column 8: ${TOO_LARGE}: {"id": 9007199254740993}`,
    });
    writeFiles(folder, { 'plan.yaml': `${HEAD}params: { n: { type: number, default: 1 } }\ntasks: { t: { run: "true" } }\n` });
    for (const [text, says] of [
      ['9007199254740993', 'it would become 9007199254740992'],
      ['1e400', 'must be a number'],
      ['1e-400', 'it would become 0'],
    ] as const) {
      const refused = await waveplan(['validate', 'plan.yaml', '--param', `n=${text}`], { cwd: folder });
      expect([refused.code, refused.text.includes(says)], refused.text).toEqual([2, true]);
    }
  });

  fault(30, 'JSON that is too deep is a failure, in the thread of the command and in others', [], async () => {
    const folder = tempFolder();
    const server = await httpServer((response, { path }) => {
      response.setHeader('content-type', 'application/json');
      response.end(deep(Number(path.slice(1))));
    });
    writeFiles(folder, {
      'deep.mjs': 'export default ({ n }) => { let v = 1; for (let i = 0; i < n; i++) v = { v: [v] }; return v; };\n',
      'print.mjs': 'const n = Number(process.argv[2]); process.stdout.write("[".repeat(n) + "]".repeat(n));\n',
    });
    const depths = [500, 5000, 100_000];
    for (const depth of depths)
      writeFiles(folder, { [`${depth}.json`]: `[${deep(depth)}]`, [`${depth}.jsonl`]: `1\n${deep(depth)}\n` });
    const tasks = depths
      .map(
        (n) => `
  output-${n}: { run: [node, print.mjs, "${n}"], output: json }
  module-${n}: { uses: ./deep.mjs, with: { n: ${n / 2} } }
  http-${n}: { uses: http/request, with: { url: "${server.url}/${n}" } }
  items-json-${n}: { foreach: { file: ${n}.json }, run: "true" }
  items-jsonl-${n}: { foreach: { file: ${n}.jsonl }, run: "true" }
  read-json-${n}: { uses: data/read, with: { path: ${n}.json } }
  read-jsonl-${n}: { uses: data/read, with: { path: ${n}.jsonl } }
  after-${n}: { needs: [output-${n}, module-${n}], run: "true", if: "tasks['output-${n}'].results.stdout != [] && tasks['module-${n}'].results != 1" }
`,
      )
      .join('');
    for (const agents of ['1', '3']) {
      rmSync(join(folder, '.waveplan'), { recursive: true, force: true });
      const { done, ends } = await outcomes(folder, tasks, ['-j', agents]);
      expect(done.text).not.toMatch(/RangeError|Internal error|\n {4}at /);
      expect([done.code, existsSync(join(folder, '.waveplan', 'lock'))]).toEqual([1, false]);
      const names = ['output', 'module', 'http', 'items-json', 'items-jsonl', 'read-json', 'read-jsonl'];
      for (const name of names) {
        for (const n of depths.slice(1)) expect(ends[`${name}-${n}`], name).toMatch(/nested more than 500 levels deep/);
        expect(ends[`${name}-500`] ?? ends[`${name}-500[1]`] ?? ends[`${name}-500[0]`], name).toEqual(expect.any(Object));
      }
      expect(ends['after-500']).toEqual(expect.any(Object));
    }
  });

  fault(30, 'a table of 300,000 columns and a record without an end are read in bounded time and memory', [], async () => {
    const folder = tempFolder();
    for (const count of [100_000, 300_000]) {
      const columns = Array.from({ length: count }, (_, i) => `c${i}`).join(',');
      writeFiles(folder, { [`${count}.csv`]: `${columns}\n${columns}\n` });
    }
    // 65 MiB that take no room on the disk: a field that is never closed.
    writeFiles(folder, { 'open.csv': 'a\n"' });
    execFileSync('truncate', ['-s', '65M', 'open.csv'], { cwd: folder });
    symlinkSync('/dev/zero', join(folder, 'zero.csv'));
    execFileSync('mkfifo', [join(folder, 'pipe.csv')]);
    const { ends } = await outcomes(
      folder,
      `
  items-wide: { foreach: { file: 100000.csv }, uses: files/glob, with: { patterns: ["\${{ item.c99999 }}"] } }
  wide: { uses: data/read, with: { path: 300000.csv, fields: [c299999] } }
  open: { uses: data/read, with: { path: open.csv } }
  items-open: { foreach: { file: open.csv }, run: "true" }
  zero: { foreach: { file: zero.csv }, run: "true" }
  read-zero: { uses: data/read, with: { path: zero.csv, outside: true } }
  read-pipe: { uses: data/read, with: { path: pipe.csv } }
`,
    );
    expect(ends).toMatchObject({
      'items-wide[0]': { count: 0 },
      wide: { items: [{ c299999: 'c299999' }] },
      open: '"open.csv":2: the record that begins here is longer than 64 MiB',
      'items-open': 'foreach: open.csv:2:1: the quote that begins here is not closed',
      zero: 'foreach: zero.csv: it is not a regular file',
      'read-zero': '"zero.csv": it is not a regular file',
      'read-pipe': '"pipe.csv": it is not a regular file',
    });
  });

  fault(30, 'a file of the state folder that is no file is not read', [], async () => {
    const plan = { 'plan.yaml': `${HEAD}tasks: { t: { run: "true", inputs: [plan.yaml], outputs: [] } }\n` };
    const run = async (plant: (stateDir: string) => void) => {
      const folder = tempFolder();
      const stateDir = join(folder, '.waveplan');
      mkdirSync(stateDir);
      writeFiles(folder, { ...plan, '.waveplan/.gitignore': '*\n' });
      plant(stateDir);
      return waveplan(['run', 'plan.yaml', '-y', '-q'], { cwd: folder });
    };
    for (const name of ['lock', 'calibration.json', 'history.ndjson']) {
      const zero = await run((stateDir) => symlinkSync('/dev/zero', join(stateDir, name)));
      const pipe = await run((stateDir) => execFileSync('mkfifo', [join(stateDir, name)]));
      const code = name === 'lock' ? 3 : 0;
      expect([zero.code, pipe.code], `${name} ${zero.text} ${pipe.text}`).toEqual([code, code]);
      if (name === 'lock') expect(zero.text).toMatch(/the lock .* cannot be read/);
    }
  });
});

function deep(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}

const ANSWERS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/json': ['application/json', '{"id": 9007199254740993}'],
  '/bytes': ['text/plain', 'caf\xe9'],
  '/latin1': ['text/plain; charset="ISO-8859-1"', 'caf\xe9 \x80'],
  '/unknown': ['text/plain; charset=x-none', 'caf\xe9'],
};
