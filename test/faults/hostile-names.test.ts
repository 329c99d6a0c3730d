import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { httpServer, json } from '../support/http-server.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

/** Names that a file can have. */
const NAMES = [
  '$(touch pwned)',
  '`touch pwned`',
  '; touch pwned; #',
  `quotes ' " \` and \\ backslash`,
  'new\nline\n$(touch pwned)\n',
  'tab\tand\rreturn',
  '-rf',
  '--help',
  '-',
  '*',
  '~',
  '[a]*{b,c}?!(d)',
  '!not',
  '%s%n',
  '🌊 größe',
  ' spaces around ',
  '.hidden',
  '..hidden',
  '...',
  '$ITEM ${ITEM} ${{ item }}',
  '<script><img onerror=alert(1)>',
  '__proto__',
  'constructor',
  'a'.repeat(255),
];

/** Paths that lead out, or nowhere. */
const OUTSIDE = ['../x', '../../x', 'in/../../x', '/etc/hostname', 'up/x', 'across/secret', 'a'.repeat(4096), 'in/loop/x'];

const PLAN = (server: string) => `version: 1
name: hostile
backup: none
tasks:
  names: { uses: ./names.mjs }
  write: { needs: [names], foreach: "\${{ tasks.names.results }}", uses: files/write, with: { path: "in/\${{ item }}", text: "\${{ item }}" } }
  glob: { needs: [write], uses: files/glob, with: { patterns: "**", cwd: in, dot: true } }
  read:
    needs: [glob]
    foreach: "\${{ tasks.glob.results.files }}"
    uses: files/read
    with: { path: "\${{ item }}" }
    success: ["'in/' + results.text == item"]
  hash: { needs: [glob], uses: files/hash, with: { paths: "\${{ tasks.glob.results.files }}" } }
  copy: { needs: [names, glob], foreach: "\${{ tasks.names.results }}", uses: files/copy, with: { from: "in/\${{ item }}", to: "copied/\${{ item }}" } }
  move: { needs: [names, copy], foreach: "\${{ tasks.names.results }}", uses: files/move, with: { from: "copied/\${{ item }}", to: "moved/\${{ item }}" } }
  remove: { needs: [names, move], foreach: "\${{ tasks.names.results }}", batch: 5, uses: files/remove, with: { paths: "\${{ item.map(n, 'moved/' + n) }}" } }
  data: { needs: [names], foreach: "\${{ tasks.names.results }}", uses: data/read, with: { path: names.json, fields: ["\${{ item }}"] } }
  post:
    needs: [names]
    foreach: "\${{ tasks.names.results }}"
    uses: http/request
    with: { url: "${server}/echo", method: POST, json: { name: "\${{ item }}" }, query: { name: "\${{ item }}" } }
    success: ["results.body.name == item", "results.body.query == item"]
  save: { needs: [names], foreach: "\${{ tasks.names.results }}", uses: http/request, with: { url: "${server}/text", saveTo: "saved/\${{ item }}" } }
  agent:
    needs: [names]
    foreach: "\${{ tasks.names.results }}"
    uses: agent/prompt
    with: { command: [node, agent.mjs, "\${{ item }}"], objective: "Say it", input: { name: "\${{ item }}" }, answer: json }
    success: ["results.answer.argument == item", "results.answer.input == item"]
`;

/** Answers with its argument, and with the input that the prompt has in it. */
const AGENT = `let prompt = ''; for await (const chunk of process.stdin) prompt += chunk;
const input = JSON.parse(/^input:\\n(\`{3,})json\\n([^]*?)\\n\\1$/m.exec(prompt)[2]);
console.log(JSON.stringify({ argument: process.argv[2], input: input.name }));`;

describe('hostile names (fault 16)', () => {
  it('are taken literally by every built-in action', async () => {
    const server = await httpServer((response, { path, body }) => {
      if (path === '/text') response.end('saved');
      else json(response, 200, { ...JSON.parse(body), query: new URL(path, 'http://x').searchParams.get('name') });
    });
    const folder = tempFolder();
    writeFiles(folder, {
      'names.mjs': `import { readFileSync } from 'node:fs'; export default () => JSON.parse(readFileSync(new URL('names.json', import.meta.url), 'utf8'));`,
      'names.json': JSON.stringify(NAMES),
      'agent.mjs': AGENT,
      'plan.yaml': PLAN(server.url),
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-j', '4'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    const sorted = [...NAMES].sort();
    expect(readdirSync(join(folder, 'in')).sort()).toEqual(sorted);
    expect(readdirSync(join(folder, 'saved')).sort()).toEqual(sorted);
    for (const name of NAMES) expect(readFileSync(join(folder, 'in', name), 'utf8')).toBe(name);
    expect([readdirSync(join(folder, 'copied')), readdirSync(join(folder, 'moved'))]).toEqual([[], []]);
    expect(readdirSync(folder).sort()).toEqual(
      ['.waveplan', 'agent.mjs', 'copied', 'in', 'moved', 'names.json', 'names.mjs', 'plan.yaml', 'saved'].sort(),
    );
  });

  it('lead no action out of the folder that the run works in', async () => {
    const server = await httpServer((response) => response.end('saved'));
    const above = tempFolder();
    const folder = join(above, 'work');
    mkdirSync(join(folder, 'in'), { recursive: true });
    writeFiles(above, { 'elsewhere/secret': 'secret', 'work/a': 'a' });
    symlinkSync('..', join(folder, 'up'));
    symlinkSync('../elsewhere', join(folder, 'across'));
    symlinkSync('loop', join(folder, 'in/loop'));
    const tasks = {
      write: 'uses: files/write, with: { path: "${{ item }}", text: x, overwrite: true }',
      read: 'uses: files/read, with: { path: "${{ item }}" }',
      to: 'uses: files/copy, with: { from: a, to: "${{ item }}", overwrite: true }',
      from: 'uses: files/copy, with: { from: "${{ item }}", to: "got-${{ index }}" }',
      move: 'uses: files/move, with: { from: "${{ item }}", to: "moved-${{ index }}" }',
      away: 'uses: files/move, with: { from: a, to: "${{ item }}", overwrite: true }',
      remove: 'uses: files/remove, with: { path: "${{ item }}", recursive: true, ifMissing: skip }',
      hash: 'uses: files/hash, with: { path: "${{ item }}" }',
      data: 'uses: data/read, with: { path: "${{ item }}", format: json }',
      glob: 'uses: files/glob, with: { patterns: "*", cwd: "${{ item }}" }',
      save: `uses: http/request, with: { url: "${server.url}", saveTo: "\${{ item }}", overwrite: true }`,
    };
    const entries = Object.entries(tasks).map(([name, text]) => `  ${name}: { foreach: ${JSON.stringify(OUTSIDE)}, ${text} }`);
    writeFiles(folder, { 'plan.yaml': `version: 1\nname: outside\nbackup: none\ntasks:\n${entries.join('\n')}\n` });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-j', '4'], { cwd: folder });
    expect(done.code, done.text).toBe(1);
    const checkpoints = checkpointsOf(onlyRun(folder));
    expect(checkpoints).toHaveLength(OUTSIDE.length * Object.keys(tasks).length);
    const wrong = checkpoints.filter(({ status, error }) => status !== 'failure' || error?.kind !== 'input');
    expect(wrong.map(({ task_id, status, error }) => [task_id, status, error?.message.slice(0, 200)])).toEqual([]);
    expect(server.received).toEqual([]);
    expect(readdirSync(above).sort()).toEqual(['elsewhere', 'work']);
    expect(readdirSync(folder).sort()).toEqual(['.waveplan', 'a', 'across', 'in', 'plan.yaml', 'up']);
    expect(readFileSync(join(above, 'elsewhere/secret'), 'utf8')).toBe('secret');
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
  });
});
