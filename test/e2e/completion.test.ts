import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cleanEnv, PROJECT, waveplan } from '../support/cli.js';
import { describeWith } from '../support/programs.js';
import { tempFolder, writeFiles } from '../support/repository.js';

const RUN = '20260101-101010101-abcdef';

const scripts: Record<string, string> = {};
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const done = await waveplan(['completion', shell], { cwd: PROJECT });
    expect(done.code, done.text).toBe(0);
    scripts[`completion.${shell}`] = done.stdout;
  }
});

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFiles(folder, { 'plan.yaml': '', 'my plan.yml': '', 'other.txt': '' });
  mkdirSync(join(folder, '.waveplan', 'runs', RUN), { recursive: true });
  writeFiles(folder, scripts);
});

/** What is offered after each line of words. */
const CASES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['rest'], ['restore']],
  [['run', '--trac'], ['--trace']],
  [['run', '--backup', 'r'], ['ref']],
  [
    ['report', '--format', 'j'],
    ['json', 'junit'],
  ],
  [['report', '2026'], [RUN]],
  [['run', 'my'], ['my plan.yml']],
];

it("every verb's help ends with examples, whose options it has", async () => {
  const help = async (...verb: readonly string[]) => (await waveplan([...verb, '--help'], { cwd: folder })).stdout;
  const [, commands = ''] = (await help()).split(/\nCommands:\n|\nExamples:\n/);
  const verbs = [...commands.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb ?? '').filter((verb) => verb !== 'help');
  expect(verbs.length).toBeGreaterThan(15);
  for (const verb of verbs) {
    const text = await help(verb);
    const [about = '', examples = ''] = text.split('\nExamples:\n');
    expect(examples, verb).toContain(`waveplan ${verb}`);
    const line = [...examples.matchAll(new RegExp(`waveplan ${verb}([^|>]*?)(?: {3}|$)`, 'gm'))]
      .map(([, words]) => words)
      .join(' ');
    for (const [option] of line.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(about, `${verb} ${option}`).toContain(option);
  }
});

describe('completion', () => {
  it('refuses a shell that it does not know', async () => {
    expect(await waveplan(['completion', 'csh'], { cwd: folder })).toMatchObject({ code: 2 });
  });

  it('knows every verb and every option that the help shows', async () => {
    const help = await waveplan(['--help'], { cwd: folder });
    const verbs = [...help.stdout.matchAll(/^ {2}([a-z]+) /gm)]
      .map(([, verb]) => verb ?? '')
      .filter((verb) => verb !== 'help' && verb !== 'waveplan');
    const stdout = scripts['completion.fish'] ?? '';
    expect(verbs.length).toBeGreaterThan(9);
    for (const verb of verbs) expect(stdout).toContain(`-a ${verb} `);
    const run = await waveplan(['run', '--help'], { cwd: folder });
    for (const [, option] of run.stdout.matchAll(/--([a-z-]+)[ ,]/g)) expect(stdout).toContain(`-l ${option} `);
  });
});

describeWith('bash')('in bash', () => {
  it('offers verbs, options, values, plans and runs', () => {
    for (const [words, offered] of CASES) {
      const script = `source completion.bash; COMP_WORDS=(waveplan "$@"); COMP_CWORD=$#; _waveplan; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const printed = execFileSync('bash', ['-c', script, 'bash', ...words], { cwd: folder, encoding: 'utf8', env: cleanEnv() });
      expect(printed.trim().split('\n').sort(), words.join(' ')).toEqual([...offered].sort());
    }
  });
});

describeWith('fish')('in fish', () => {
  it('offers verbs, options, values, plans and runs', () => {
    for (const [words, offered] of CASES) {
      const script = `source completion.fish; complete -C "waveplan ${words.join(' ')}"`;
      const printed = execFileSync('fish', ['--no-config', '-c', script], { cwd: folder, encoding: 'utf8', env: cleanEnv() });
      const first = printed
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0]);
      expect(first.sort(), words.join(' ')).toEqual([...offered].sort());
    }
  });
});

describeWith('zsh')('in zsh', () => {
  it('completes a verb, an option, a value, a plan and a run', async () => {
    const shell = spawn('zsh', ['-f'], {
      cwd: folder,
      cols: 200,
      rows: 20,
      env: { ...cleanEnv(), TERM: 'dumb', PS1: '> ', HOME: folder },
    });
    let printed = '';
    shell.onData((data) => {
      printed += data;
    });
    const until = async (text: string) => {
      while (!printed.includes(text)) await new Promise((resolve) => setImmediate(resolve));
      printed = printed.slice(printed.indexOf(text) + text.length);
    };
    shell.write("autoload -Uz compinit; compinit -u -D; source completion.zsh; setopt no_beep; echo re''ady\r");
    await until('ready\r\n');
    for (const [typed, completed] of [
      ['rest', 'ore'],
      ['run --trac', 'e'],
      ['run --backup r', 'ef'],
      ['run my', '\\ plan.yml'],
      ['report 2026', RUN.slice(4)],
    ] as const) {
      shell.write(`echo waveplan ${typed}`.replace('echo ', ''));
      await until(typed);
      shell.write('\t');
      await until(completed);
      shell.write('\u0015');
    }
    shell.kill();
  });
});
