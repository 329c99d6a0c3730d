import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository } from '../support/repository.js';
import { inTerminal } from '../support/terminal.js';

const TOKEN = 'tok_9f3KxZ+q7/mW=2é"Jd$hQ';

/** What nobody may find: any eight characters of the token, and what its base64 has of it at each alignment. */
const TRACES: readonly string[] = [
  ...pieces(TOKEN, 8),
  ...pieces(encodeURIComponent(TOKEN), 12),
  ...[0, 1, 2].flatMap((before) =>
    pieces(
      Buffer.from(`${'x'.repeat(before)}${TOKEN}`)
        .toString('base64')
        .slice(4, -4),
      10,
    ),
  ),
];

function pieces(text: string, length: number): readonly string[] {
  return Array.from({ length: text.length - length + 1 }, (_, at) => text.slice(at, at + length));
}

function tracesIn(text: string): readonly string[] {
  return TRACES.filter((trace) => text.includes(trace));
}

/** Every file below a folder, with its text. */
function filesBelow(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [[path, readFileSync(path, 'utf8')] as const];
  });
}

function expectNoTrace(folder: string, done: CliResult): void {
  expect(tracesIn(done.text), 'the terminal').toEqual([]);
  const files = [...filesBelow(join(folder, '.waveplan')), ...filesBelow(join(folder, 'files'))];
  expect(files.length).toBeGreaterThan(5);
  for (const [path, text] of files) expect(tracesIn(text), path).toEqual([]);
}

const MODULE = `
export const logs = (_, { log }) => {
  log(process.env.TOKEN.slice(0, 9));
  log(process.env.TOKEN.slice(9));
  console.log('token ' + process.env.TOKEN);
  process.stdout.write(process.env.TOKEN.slice(0, 5));
  process.stdout.write(process.env.TOKEN.slice(5) + '\\n');
};
export const returns = () => {
  const token = process.env.TOKEN;
  const base64 = [0, 1, 2].map((n) => Buffer.from('x'.repeat(n) + token).toString('base64'));
  return { [token]: [token, { url: 'https://x/?t=' + encodeURIComponent(token) }], base64, summary: 'done with ' + token };
};
export const throws = () => { throw new Error('refused ' + process.env.TOKEN); };
export const rejectsLater = () => { setTimeout(() => Promise.reject(new Error(process.env.TOKEN))); };
export const waits = () => new Promise((resolve) => setTimeout(resolve, 200));
`;

const PLAN = `version: 1
name: leaks
backup: none
secrets: [TOKEN]
params: { given: { default: "" } }
agents: 2
tasks:
  plain: { run: 'echo "$TOKEN"; echo "$TOKEN" >&2' }
  parts: { run: 'printf %s "$TOKEN" | head -c 9; sleep 0.1; printf "%s\\n" "$TOKEN" | tail -c +10' }
  lines: { run: 'printf %s "$TOKEN" | fold -w 7', output: lines }
  json: { run: [node, -p, "JSON.stringify({ t: process.env.TOKEN })"], output: json }
  wrapped: { run: 'head -c 40 /dev/zero > zeros; printf %s "$TOKEN" | cat zeros - | base64 -w 20' }
  cut: { run: 'printf %s "$TOKEN"; head -c 16370 /dev/zero | tr "\\0" x' }
  fails: { run: 'echo "bad token $TOKEN" >&2; exit 3', retries: { max: 1, backoff: 1ms } }
  condition: { if: env.TOKEN, run: "true" }
  holds: { run: "true", success: ["results.stdout + env.TOKEN"] }
  logs: { uses: "./leaks.mjs#logs" }
  returns: { uses: "./leaks.mjs#returns" }
  throws: { uses: "./leaks.mjs#throws" }
  later: { uses: "./leaks.mjs#rejectsLater" }
  waits: { uses: "./leaks.mjs#waits" }
  argument: { run: [echo, "\${{ params.given }}"] }
  variable: { run: 'echo "$COPY"', env: { COPY: "\${{ env.TOKEN }}" } }
finally:
  last: { run: 'echo "$TOKEN"; exit 1' }
`;

const FILES = { 'plan.yaml': PLAN, 'leaks.mjs': MODULE, 'files/.keep': '', '.gitignore': 'files\nzeros\n' };
const RUN = ['run', 'plan.yaml', '--yes', '--checkpoint-files', 'files', '--param', `given=Bearer ${TOKEN}`];

describe('a secret', () => {
  it.each([[[]], [['--json']], [['--quiet']]])(
    'leaves no trace in anything that is shown or stored, with %j',
    async (options) => {
      const folder = repository(FILES);
      const done = await waveplan([...RUN, ...options], { cwd: folder, env: { TOKEN } });
      expect(done.code, done.text).toBe(1);
      expectNoTrace(folder, done);

      const checkpoints = new Map(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
      expect(checkpoints.get('plain')?.results).toMatchObject({ stdout: '***\n', stderr: '***\n' });
      expect(checkpoints.get('parts')?.results).toMatchObject({ stdout: '***\n' });
      expect(checkpoints.get('variable')?.results).toMatchObject({ stdout: '***\n' });
      expect(checkpoints.get('json')?.results).toMatchObject({ stdout: { t: '***' } });
      expect(checkpoints.get('returns')?.results).toMatchObject({ '***': ['***', { url: 'https://x/?t=***' }] });
      expect(checkpoints.get('fails')?.error?.message).toBe('exit code 3: bad token ***');
      expect(checkpoints.get('throws')?.error?.message).toBe('Error: refused ***');
      expect(checkpoints.get('argument')?.error?.message).toMatch(/has a secret in it, which the list of processes/);
      expect(checkpoints.get('cut')?.results).toMatchObject({ stdout: expect.stringMatching(/^\[\d+ bytes cut: .*\]\n\*\*\*x/) });
    },
  );

  it('leaves no trace in a terminal', async () => {
    const folder = repository(FILES);
    const terminal = inTerminal(RUN, folder, { TOKEN });
    expect(await terminal.exit).toBe(1);
    expect(terminal.screen()).toContain('***');
    expect(tracesIn(terminal.screen())).toEqual([]);
  });

  it('is in no list of processes, and reaches the commands that need it', async () => {
    const folder = repository({
      'plan.yaml': `version: 1
name: processes
backup: none
secrets: [TOKEN]
tasks:
  look: { run: 'ps -eww -o args > processes.txt; printf %s "$TOKEN" > token.txt' }
`,
    });
    const done = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder, env: { TOKEN } });
    expect(done.code, done.text).toBe(0);
    const processes = readFileSync(join(folder, 'processes.txt'), 'utf8');
    expect(processes.includes('run plan.yaml --yes')).toBe(true);
    expect(tracesIn(processes)).toEqual([]);
    expect(readFileSync(join(folder, 'token.txt'), 'utf8')).toBe(TOKEN);
  });

  it('that is not set, or is too short to be masked, ends the run with exit 3 before anything is done', async () => {
    const folder = repository({
      'plan.yaml': 'version: 1\nname: x\nsecrets: [FIRST, SECOND]\ntasks: { a: { run: "touch done" } }\n',
    });
    const run = (args: readonly string[], env: Readonly<Record<string, string>>) => waveplan(args, { cwd: folder, env });
    const missing = await run(['run', 'plan.yaml', '--yes'], { FIRST: '' });
    expect([missing.code, missing.stderr]).toEqual([
      3,
      'waveplan: secrets are not set: FIRST, SECOND\n  set them in the environment, as in: export FIRST=…\n',
    ]);
    const short = await run(['run', 'plan.yaml', '--yes'], { FIRST: 'long enough', SECOND: 'abc' });
    expect(short.code).toBe(3);
    expect(short.stderr).toMatch(/too short to be masked: the value of SECOND\n.*at least 4 characters/);
    expect(readdirSync(folder).sort()).toEqual(['.git', 'plan.yaml']);
    for (const args of [
      ['validate', 'plan.yaml'],
      ['plan', 'plan.yaml'],
      ['run', 'plan.yaml', '--dry-run'],
    ]) {
      expect((await run(args, {})).code).toBe(0);
    }
  });
});
