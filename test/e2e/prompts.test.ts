import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const PLAN = `version: 1
name: colours
description: Sort the colours
backup: none
params: { tone: { default: warm } }
tasks:
  list: { run: "printf 'red\\nblue\\n'", output: lines }
  sort:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    uses: agent/prompt
    with:
      command: [node, agent.mjs]
      objective: "Say whether \${{ item }} is \${{ params.tone }}"
      tools: [Read]
      schema: { type: object, required: [warm], properties: { warm: { type: boolean } } }
    success: ["results.answer.warm == (item == 'red')"]
  note:
    needs: [sort]
    uses: files/write
    with: { path: out.json, json: "\${{ tasks.sort.results.map(r, r.answer.warm) }}" }
`;

/** Answers from nothing but what the prompt says. */
const AGENT = `let prompt = ''; for await (const chunk of process.stdin) prompt += chunk;
const colour = /Say whether (\\w+) is warm/.exec(prompt)[1];
console.log('Here it is:\\n\`\`\`json\\n' + JSON.stringify({ warm: colour === 'red' }) + '\\n\`\`\`');`;

const prompts = async (folder: string, ...args: readonly string[]) => {
  const done = await waveplan(['prompts', 'plan.yaml', '--json', ...args], { cwd: folder });
  expect(done.code, done.text).toBe(0);
  return done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { subtask: string; wave: number; template: boolean; prompt: string });
};

describe('prompts', () => {
  it('are templates that say what is missing before a run, and stand alone after it', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': PLAN, 'agent.mjs': AGENT });
    const before = await prompts(folder);
    expect(before.map(({ subtask, template }) => [subtask, template])).toEqual([
      ['list', false],
      ['sort[N]', true],
      ['note', true],
    ]);
    expect(before[1]?.prompt).toMatch(/^TEMPLATE, not ready to use: .* results of list, which no run has brought yet/);

    const run = await waveplan(['run', 'plan.yaml', '-y'], { cwd: folder });
    expect(run.code, run.text).toBe(0);
    const results = checkpointsOf(onlyRun(folder)).map(({ task_id, results }) => [
      task_id,
      (results as { answer?: unknown })?.answer,
    ]);
    expect(results).toEqual(
      expect.arrayContaining([
        ['sort[0]', { warm: true }],
        ['sort[1]', { warm: false }],
      ]),
    );

    const after = await prompts(folder, '--checkpoint-files', '/tmp/points');
    expect(after.map(({ subtask, template }) => [subtask, template])).toEqual([
      ['list', false],
      ['sort[0]', false],
      ['sort[1]', false],
      ['note', false],
    ]);
    const blue = after[2]?.prompt ?? '';
    for (const said of [
      'Say whether blue is warm',
      '"blue"',
      'Read',
      'results.answer.warm == (false)',
      '"required"',
      '/tmp/points/wave2_sort-1_results.json',
      folder,
    ]) {
      expect(blue).toContain(said);
    }
    for (const { prompt } of after) expect(prompt).not.toMatch(/\$\{\{|undefined/);
    expect((await prompts(folder, '--task', 'sort[1]')).map(({ prompt }) => prompt)).toHaveLength(1);
  });

  it('have no secrets in them', async () => {
    const folder = tempFolder();
    const input = 'command: [cat], objective: Call the API, input: { token: "${{ env.API_TOKEN }}" }';
    writeFiles(folder, {
      'plan.yaml': `version: 1\nname: x\nbackup: none\nsecrets: [API_TOKEN]\ntasks:\n  ask: { uses: agent/prompt, with: { ${input} } }\n`,
    });
    const env = { API_TOKEN: 'correct-horse-battery' };
    const printed = await waveplan(['prompts', 'plan.yaml'], { cwd: folder, env });
    expect([printed.code, printed.stdout.includes('"***"')], printed.text).toEqual([0, true]);
    const ran = await waveplan(['run', 'plan.yaml', '-y'], { cwd: folder, env });
    expect(ran.code, ran.text).toBe(0);
    const left = JSON.stringify(checkpointsOf(onlyRun(folder))) + printed.text + ran.text;
    expect(left).toContain('Call the API');
    expect(left).not.toContain('correct-horse-battery');
    // The list of processes shows arguments to everybody.
    writeFiles(folder, {
      'plan.yaml': `version: 1\nname: x\nsecrets: [API_TOKEN]\ntasks:\n  ask: { uses: agent/prompt, with: { command: [echo, "\${{ env.API_TOKEN }}"], objective: x } }\n`,
    });
    expect((await waveplan(['validate', 'plan.yaml'], { cwd: folder, env })).stderr).toMatch(/PLAN-SECRET/);
  });

  it('are told which tasks and subtasks there are', async () => {
    const folder = tempFolder();
    writeFiles(folder, { 'plan.yaml': 'version: 1\nname: x\ntasks:\n  count: { foreach: [1, 2, 3], run: "true" }\n' });
    const of = (...args: readonly string[]) => waveplan(['prompts', 'plan.yaml', ...args], { cwd: folder });
    expect((await of('--task', 'cuont')).stderr).toMatch(/did you mean 'count'/);
    const beyond = await of('--task', 'count[3]');
    expect([beyond.code, beyond.stderr]).toEqual([2, expect.stringMatching(/3 subtasks, numbered from 0/)]);
    const some = await of('--limit', '2');
    expect(some.stdout).toMatch(/count\[1\][\s\S]*and 1 more of count: --limit 3/);
    expect(some.stdout).not.toContain('count[2]');
  });

  it.each(['repo-cleanup', 'rename-media', 'api-migration'])('of plans/%s.yaml have every part', async (name) => {
    const done = await waveplan(['prompts', join(PROJECT, 'plans', `${name}.yaml`), '--json', '--state-dir', tempFolder()], {
      cwd: PROJECT,
    });
    expect(done.code, done.text).toBe(0);
    for (const line of done.stdout.trim().split('\n')) {
      const { prompt } = JSON.parse(line) as { prompt: string };
      for (const part of [
        'Objective: ',
        'Work in this folder',
        'Inputs',
        'Tools: ',
        'Done when all of this holds:\n- ',
        'Checkpoint: write /',
      ])
        expect(prompt).toContain(part);
    }
  });
});
