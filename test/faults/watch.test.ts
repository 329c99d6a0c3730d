import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fault, linesOf, start, until } from '../support/faults.js';
import { repository, tempFolder, writeFiles } from '../support/repository.js';
import { type Watching, watching } from '../support/watching.js';

const HEAD = 'version: 1\nname: x\nbackup: none\ntasks:\n';
const ARGS = ['plan.yaml', '--yes', '--overhead', '1ms', '-j', '1'];
/** Time without a file: the fault itself. */
const gap = () => new Promise((resolve) => setTimeout(resolve, 30));

/** A task that leaves a line in `.git/ran`: its name, and what its input says. */
function task(name: string, input: string, more = ''): string {
  return `  ${name}: { run: 'echo ${name} $(cat ${input} 2> .git/err) >> .git/ran', inputs: ["${input}"]${more} }\n`;
}

/** Each item of `src` leaves such a line too. */
const ITEMS = `  list: { run: "find ./src -name '*.txt' | sort", output: lines }
  each: { needs: [list], foreach: "\${{ tasks.list.results.stdout }}", run: 'echo "$ITEM $(cat "$ITEM")" >> .git/ran', inputs: ["\${{ item }}"] }
`;

async function ran(folder: string, line: string, watch: Watching): Promise<void> {
  const lines = () => linesOf(join(folder, '.git/ran'));
  await until(() => lines().includes(line), `'${line}' after ${lines().slice(-5).join(', ')}\n${watch.text()}`).catch((error) => {
    throw new Error(`${error.message}\n${watch.text()}`);
  });
}

async function ended(watch: Watching): Promise<void> {
  watch.signal('SIGINT');
  expect(await watch.exit).toBe(130);
}

test('watch sees an edit of each input, however its path is written, and takes no output for an input', async () => {
  const outside = tempFolder();
  const folder = repository({ 'src/1.txt': 'one', 'in.txt': 'one', 'abs.txt': 'one' });
  const near = `../${folder.split('/').at(-1)}-near.txt`;
  const plan =
    task('dot', './in.txt') +
    task('up', near) +
    task('abs', `${folder}/abs.txt`) +
    task('out', `${outside}/*.txt`) +
    task('link', 'link.txt') +
    task('linked', 'linked/in.txt') +
    ITEMS +
    `  all: { run: 'mkdir -p dist; cat *.txt > dist/o.txt; echo x >> dist/o.txt', inputs: ["**/*.txt"], outputs: ["./dist/o.txt"] }\n`;
  writeFiles(folder, { 'plan.yaml': HEAD + plan, [near]: 'one' });
  writeFiles(outside, { 'o.txt': 'one', 'target/in.txt': 'one', 'hidden/target.txt': 'one' });
  symlinkSync(join(outside, 'hidden/target.txt'), join(folder, 'link.txt'));
  symlinkSync(join(outside, 'target'), join(folder, 'linked'));
  try {
    const watch = watching(ARGS, folder);
    await watch.waitFor('Waiting for changes');
    const edits: readonly (readonly [path: string, line: string])[] = [
      ['in.txt', 'dot'],
      [near, 'up'],
      ['abs.txt', 'abs'],
      [join(outside, 'o.txt'), 'out'],
      [join(outside, 'hidden/target.txt'), 'link'],
      [join(outside, 'target/in.txt'), 'linked'],
      ['src/1.txt', './src/1.txt'],
    ];
    for (const text of ['two', 'three']) {
      for (const [path, line] of edits) {
        writeFileSync(path.startsWith('/') ? path : join(folder, path), text);
        await ran(folder, `${line} ${text}`, watch);
      }
    }
    await watch.waitFor('Waiting for changes');
    await ended(watch);
    expect(watch.text()).not.toMatch(/dist\/o\.txt|feeds itself/);
  } finally {
    rmSync(join(folder, near));
  }
});

const COMES_AND_GOES = `${HEAD + task('fixed', 'fixed.txt') + task('late', 'gen/deep/*.txt') + ITEMS}  module: { uses: ./module.mjs, inputs: [] }\n`;

async function comesAndGoes(env: Readonly<Record<string, string>>): Promise<void> {
  const word = (text: string) => `export const word = 'module ${text}\\n';`;
  const folder = repository({
    'plan.yaml': COMES_AND_GOES,
    'fixed.txt': 'one',
    'src/a/1.txt': 'one',
    'src/2.txt': 'one',
    'module.mjs':
      "import { appendFileSync } from 'node:fs';\nimport { word } from './word.mjs';\nexport default () => appendFileSync('.git/ran', word);",
    'word.mjs': word('one'),
  });
  const at = (name: string) => join(folder, name);
  const away = join(tempFolder(), 'away');
  const watch = watching(ARGS, folder, { args: [], env });
  const write = async (name: string, line: string, text: string) => {
    writeFiles(folder, { [name]: text });
    await ran(folder, `${line} ${text}`, watch);
  };
  await watch.waitFor('Waiting for changes');

  // A file that comes back as it was, and is edited then.
  renameSync(at('src/2.txt'), away);
  await watch.waitFor('Waiting for changes');
  renameSync(away, at('src/2.txt'));
  await watch.waitFor('Waiting for changes');
  await write('src/2.txt', './src/2.txt', 'two');
  // Files and folders that are removed and made again, or moved away and back.
  rmSync(at('fixed.txt'));
  await gap();
  await write('fixed.txt', 'fixed', 'two');
  renameSync(at('src'), away);
  await gap();
  renameSync(away, at('src'));
  await write('src/a/1.txt', './src/a/1.txt', 'two');
  rmSync(at('src'), { recursive: true });
  await gap();
  await write('src/a/1.txt', './src/a/1.txt', 'three');
  await write('src/a/1.txt', './src/a/1.txt', 'four');
  // A folder whose parent did not exist, twice.
  await write('gen/deep/x.txt', 'late', 'two');
  await write('gen/deep/x.txt', 'late', 'three');
  rmSync(at('gen'), { recursive: true });
  await gap();
  await write('gen/deep/x.txt', 'late', 'four');
  // A module's import, and the plan itself.
  rmSync(at('word.mjs'));
  await watch.waitFor('FAILED module');
  writeFiles(folder, { 'word.mjs': word('two') });
  await ran(folder, 'module two', watch);
  renameSync(at('plan.yaml'), away);
  await watch.waitFor('nothing runs until it is changed again');
  renameSync(away, at('plan.yaml'));
  writeFileSync(at('plan.yaml'), COMES_AND_GOES.replace('echo fixed', 'echo again'));
  await ran(folder, 'again two', watch);
  rmSync(at('plan.yaml'));
  await gap();
  writeFileSync(at('plan.yaml'), COMES_AND_GOES.replace('echo fixed', 'echo once more'));
  await ran(folder, 'once more two', watch);
  await write('fixed.txt', 'once more', 'three');
  await ended(watch);
}

fault(38, 'watch sees every edit of what is removed and made again, or moved away and back', [], () => comesAndGoes({}));
fault(38, 'watch sees the same where folders are polled', [], () =>
  comesAndGoes({ CHOKIDAR_USEPOLLING: '1', CHOKIDAR_INTERVAL: '20' }),
);

fault(38, 'watch waits while another run holds the lock, and two sessions take turns', [], async () => {
  const gated = `${HEAD}  slow: { run: "while ! test -e .git/go; do sleep 0.02; done" }\n`;
  const folder = repository({
    'plan.yaml': HEAD + task('one', 'one.txt') + task('two', 'two.txt'),
    'other.yaml': HEAD.replace('name: x', 'name: y') + task('other', 'one.txt'),
    'slow.yaml': gated,
    'one.txt': 'one',
    'two.txt': 'one',
  });
  const watch = watching(ARGS, folder);
  await watch.waitFor('Waiting for changes');
  const slow = start(['run', 'slow.yaml', '--yes', '-q'], { cwd: folder });
  await until(() => linesOf(join(folder, '.waveplan/lock')).some((line) => line.includes(`"pid":${slow.pid}`)), 'the lock');
  writeFiles(folder, { 'one.txt': 'two' });
  await watch.waitFor(`Waiting for process ${slow.pid} (run `);
  writeFiles(folder, { 'two.txt': 'two' });
  // A session that begins meanwhile waits as well.
  const other = watching(['other.yaml', ...ARGS.slice(1)], folder);
  await other.waitFor(`Waiting for process ${slow.pid}`);
  mkdirSync(join(folder, '.git/go'));
  expect((await slow.ended).code).toBe(0);
  for (const line of ['one two', 'two two', 'other two']) await ran(folder, line, watch);
  for (let i = 0; i < 4; i++) {
    writeFiles(folder, { 'one.txt': `turn ${i}` });
    for (const line of ['one', 'other']) await ran(folder, `${line} turn ${i}`, watch);
  }
  await ended(other);
  await ended(watch);
  expect(watch.text().match(new RegExp(`Waiting for process ${slow.pid} `, 'g'))).toHaveLength(1);
  expect(watch.text() + other.text()).not.toContain('waveplan:');
});
