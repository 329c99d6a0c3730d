import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeInBrowser, openPage } from '../support/browser.js';
import { cleanEnv, waveplan } from '../support/cli.js';
import { junitProblems } from '../support/junit.js';
import { onlyRun, writeFiles } from '../support/repository.js';
import { inTerminal } from '../support/terminal.js';
import { traceProblems } from '../support/trace.js';

/** What a task may print to harm whoever looks at it. */
const HOSTILE = [
  '\u001b]52;c;cHduZWQ=\u0007',
  '\u001b[2J\u001b[1;1H\u001b[31mSPOOFED',
  '\u001bPq#0;2;0;0;0\u001b\\',
  '\u009b2J\u009d52;c;eA==\u009c',
  '</script><script>document.title="taken"</script><img src=x onerror=document.title="taken">',
  '</pre></details><iframe src="https://example.org/"></iframe>',
  ']]><evil/><![CDATA[',
  '&quot;&#x3c;b&#x3e; \u202edrow',
  '\ufffe\uffff\ud800',
  '| a | [x](javascript:alert(1)) `code` ![i](https://example.org/x.png)',
  '::error file=x::injected',
  '"]; end; click t1 "javascript:alert(1)"',
];

/** Prints it, fails with it, and says it in every way that a task has. */
const MODULE = `
const hostile = ${JSON.stringify(HOSTILE)};
export default (input, context) => {
  for (const line of hostile) context.log(line);
  return { summary: hostile };
};
export const fails = () => { throw new Error(hostile.join('\\n')); };
export const failsOn = (input) => { throw new Error(hostile[input.n]); };
`;

const PLAN = `version: 1
name: ${JSON.stringify(HOSTILE[4])}
description: ${JSON.stringify(`${HOSTILE[1]} ${HOSTILE[3]} ${HOSTILE[7]}`)}
request: ${JSON.stringify(`${HOSTILE[4]} ${HOSTILE[5]} ${HOSTILE[7]}`)}
backup: none
tasks:
  says: { uses: ./hostile.mjs }
  prints: { run: [node, -e, "import('./hostile.mjs').then((m) => { m.default({}, { log: (t) => { console.log(t); console.error(t); } }); process.exit(3); })"] }
  told: { foreach: ${JSON.stringify(HOSTILE.slice(0, 8))}, run: 'true' }
  throws: { uses: ./hostile.mjs#fails }
  each: { foreach: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], uses: "./hostile.mjs#failsOn", with: { n: "\${{ item }}" } }
`;

/** Bytes that act on a terminal: controls but line feeds, C1, and marks that reorder a line. Our own colours are off. */
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

let folder = '';
let firstRun = '';
let run = { code: null as number | null, stdout: '', stderr: '' };

describe('what tasks print is inert', () => {
  // One run for all: what is looked at are its traces. The other helpers empty their folders after each test.
  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'waveplan-test-')));
    writeFiles(folder, { 'plan.yaml': PLAN, 'hostile.mjs': MODULE });
    const outputs = ['--html', 'r.html', '--md', 'r.md', '--junit', 'r.xml', '--trace', 'r.json'];
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(folder, 'step.md') };
    run = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms', '--verbose', ...outputs], { cwd: folder, env });
    expect(run.code, run.stderr).toBe(1);
    firstRun = onlyRun(folder);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('in plain output, in a job log, and in all files but the logs', async () => {
    for (const text of [run.stdout, run.stderr]) expect(text).not.toMatch(ACTIVE);
    // A command of GitHub Actions stands at the start of a line; ours are the only ones.
    const commands = [...run.stdout.matchAll(/^\s*::.*$/gm)].map(([line]) => line);
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command).toMatch(/^::(error|warning) file=[^:]*,title=[^:]*::/);
    const folders = [folder, firstRun];
    const files = folders
      .flatMap((each) => readdirSync(each).map((name) => join(each, name)))
      .filter((file) => /r\.\w+$|report\.\w+$|step\.md$/.test(file));
    expect(files.length).toBe(7);
    for (const file of files) expect(readFileSync(file, 'utf8').match(ACTIVE), file).toBeNull();
  });

  it('in Markdown: no tag, no link, no picture', () => {
    for (const name of ['r.md', 'step.md']) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text).not.toMatch(/<\/?[a-z]/i);
      expect(text).not.toMatch(/(?<!\\)\[x\]|(?<!\\)!\[/);
    }
  });

  it('in JUnit and in the trace, which stay what they are', async () => {
    const xml = readFileSync(join(folder, 'r.xml'), 'utf8');
    expect(await junitProblems(xml)).toEqual([]);
    expect(xml).not.toContain('<evil');
    expect([...xml.matchAll(/<failure /g)]).toHaveLength(14);
    expect(traceProblems(readFileSync(join(folder, 'r.json'), 'utf8'))).toEqual([]);
  });

  it('in events, graphs, and every report that is made later', async () => {
    const json = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms', '--json'], { cwd: folder });
    expect(json.stdout).not.toMatch(ACTIVE);
    for (const line of json.stdout.trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
    for (const args of [
      ['report'],
      ['report', '-f', 'json'],
      ['graph', 'plan.yaml'],
      ['graph', 'plan.yaml', '-f', 'dot'],
      ['graph', 'plan.yaml', '-f', 'svg'],
      ['plan', 'plan.yaml'],
      ['plan', 'plan.yaml', '--json'],
      ['status'],
      ['status', '--json'],
      ['list'],
      ['explain', 'each', '--json'],
      ['prompts', 'plan.yaml', '--json'],
    ]) {
      const made = await waveplan(args, { cwd: folder });
      expect(made.text, args.join(' ')).not.toMatch(ACTIVE);
      expect(made.text, args.join(' ')).not.toMatch(/^::/m);
      if (args[0] === 'graph') expect(made.stdout).not.toMatch(/<\/?(script|iframe|img)/);
    }
  });

  it('in a terminal: our own sequences only', async () => {
    const terminal = inTerminal(['run', 'plan.yaml', '--yes', '--overhead', '3ms', '--verbose'], folder, cleanEnv());
    expect(await terminal.exit).toBe(1);
    const screen = terminal.screen();
    expect(screen).toContain('SPOOFED');
    // What log-update needs to draw again in place: erase a line, cursor up, to the first column, synchronized update.
    const rest = screen.replace(/\u001b\[(?:\d*[AGK]|\?2026[hl]|0?J)|\r/g, '');
    expect(rest.match(ACTIVE)).toBeNull();
    expect(existsSync(join(folder, 'r.html'))).toBe(true);
    const prompts = inTerminal(['prompts', 'plan.yaml'], folder, cleanEnv());
    expect(await prompts.exit).toBe(0);
    expect(prompts.screen()).toContain('SPOOFED');
    expect(prompts.screen().replaceAll('\r\n', '\n').match(ACTIVE)).toBeNull();
  });

  describeInBrowser('in a browser', () => {
    it('nothing is run, asked for or drawn from it', async () => {
      const { page, messages, requests } = await openPage(join(folder, 'r.html'));
      expect(messages).toEqual([]);
      expect(requests).toEqual([]);
      expect(await page.title()).not.toBe('taken');
      const found = await page.evaluate(
        '({ foreign: document.querySelectorAll("script,iframe,img,object,embed,link,form,a,evil").length, handlers: [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some(({ name }) => /^on|^style$/.test(name))).length, text: document.body.innerText })',
      );
      expect(found).toMatchObject({ foreign: 0, handlers: 0, text: expect.stringContaining('</script><script>') });
      await page.close();
    });
  });
});
