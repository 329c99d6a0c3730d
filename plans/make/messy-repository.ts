/**
 * Makes a JavaScript project that works, passes its tests, and is a mess; a git repository of its own:
 *
 *   npx jiti plans/make/messy-repository.ts /tmp/messy --modules 40 --seed 1
 *
 * What was messed up is listed in FOLDER.planted.json beside it, for those who check the cleaning. Planted as well are
 * things that look like mess and are none: a template literal whose lines end in spaces, Markdown's hard line breaks.
 */
import { writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseArgs } from 'node:util';
import { NewFolder, randomOf } from './repository.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { modules: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
});
const [target] = positionals;
if (target === undefined) throw new Error('say which folder to make');

const AREAS = ['core', 'math', 'net', 'text', 'ui'];
const WORDS = ['adjust', 'blend', 'collect', 'derive', 'extract', 'filter', 'gather', 'hash', 'index', 'join'];
/** Keeps the numbers small, however deep modules build on each other. */
const MODULUS = 10007;

interface Module {
  readonly index: number;
  readonly area: string;
  readonly name: string;
  readonly constant: number;
  readonly uses: readonly Module[];
  readonly unused: Module | undefined;
  readonly dead: boolean;
}

const random = randomOf(Number(values.seed));
const pick = <Item>(list: readonly Item[]): Item => list[Math.floor(random() * list.length)] as Item;
const folder = new NewFolder(target);
const planted = {
  duplicates: [] as string[],
  empty: [] as string[],
  unusedImports: [] as { file: string; name: string }[],
  unusedExports: [] as { file: string; name: string }[],
  messyText: [] as string[],
};

const modules: Module[] = [];
for (let index = 0; index < Number(values.modules); index += 1) {
  const area = pick(AREAS);
  const uses = modules.length < 3 || random() < 0.4 ? [] : [...new Set([pick(modules), pick(modules)])];
  const others = modules.filter((one) => !uses.includes(one));
  modules.push({
    index,
    area,
    name: `${pick(WORDS)}-${index}`,
    constant: Math.floor(random() * MODULUS),
    uses,
    unused: others.length > 0 && random() < 0.4 ? pick(others) : undefined,
    dead: random() < 0.4,
  });
}

/** Modules of which there is a copy beside them, that some import instead. */
const copied = new Set(modules.filter(({ uses, unused }) => uses.length === 0 && unused === undefined));

const messUp = (path: string, text: string): string => {
  const kind = random();
  if (kind < 0.5) return text;
  planted.messyText.push(path);
  if (kind < 0.65) return text.replaceAll('\n', '\r\n');
  if (kind < 0.8) return `${text}\n\n`;
  return text.replace(/;\n/g, () => (random() < 0.5 ? ';  \n' : ';\t\n'));
};

for (const module of modules) {
  const path = `src/${module.area}/${module.name}.js`;
  const text = textOf(module, path);
  const messy = copied.has(module) ? text : messUp(path, text);
  folder.write(path, messy);
  if (copied.has(module)) {
    folder.write(copyOf(module), messy);
    planted.duplicates.push(copyOf(module));
  }
}

const TESTED_TOGETHER = 10;
for (let first = 0; first < modules.length; first += TESTED_TOGETHER) {
  const group = modules.slice(first, first + TESTED_TOGETHER);
  const imports = group.map((one) => `import { ${functionOf(one)} } from '../src/${one.area}/${one.name}.js';`);
  const checks = group.map((one) => `  assert.equal(${functionOf(one)}(${first}), ${resultOf(one, first)});`);
  const path = `test/group-${first / TESTED_TOGETHER}.test.js`;
  const head = ["import assert from 'node:assert/strict';", "import test from 'node:test';", ...imports];
  folder.write(path, messUp(path, `${head.join('\n')}\n\ntest('modules from ${first}', () => {\n${checks.join('\n')}\n});\n`));
}

folder.write('src/text/banner.js', 'export const banner = `\n  two spaces follow  \n\ttab and tab\t\n`;\n');
folder.write(
  'test/banner.test.js',
  "import assert from 'node:assert/strict';\nimport test from 'node:test';\nimport { banner } from '../src/text/banner.js';\n\ntest('the banner keeps its spaces', () => {\n  assert.equal(banner, '\\n  two spaces follow  \\n\\ttab and tab\\t\\n');\n});\n",
);
folder.write('README.md', '# A project\n\nFirst line  \nsecond line of the same paragraph.\n');
folder.write(
  'package.json',
  `${JSON.stringify({ name: 'messy', type: 'module', scripts: { test: 'node --test test/' } }, undefined, 2)}\n`,
);
for (let index = 0; index < Math.ceil(modules.length / 8); index += 1) {
  const notes = `docs/note-${index}.txt`;
  folder.write(notes, `Note ${index}, as it was agreed.\n`);
  const copy = `docs/old/note-${index} (copy).txt`;
  folder.write(copy, `Note ${index}, as it was agreed.\n`);
  planted.duplicates.push(copy);
  const empty = pick([`docs/empty-${index}.txt`, `src/core/unwritten-${index}.js`, `assets/blank ${index}.css`]);
  folder.write(empty, random() < 0.5 ? '' : '\n  \n');
  planted.empty.push(empty);
}
folder.write('docs/old/.gitkeep', '');
folder.commit('The project as it grew');
writeFileSync(`${target}.planted.json`, `${JSON.stringify(planted, undefined, 2)}\n`);

function functionOf({ name }: Module): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function copyOf({ area, name }: Module): string {
  return `src/${area}/zz-${name}-copy.js`;
}

function resultOf(module: Module, argument: number): number {
  return module.uses.reduce((sum, used) => sum + resultOf(used, argument), argument + module.constant) % MODULUS;
}

function textOf(module: Module, path: string): string {
  const importOf = (one: Module) => {
    const from = copied.has(one) && random() < 0.6 ? copyOf(one) : `src/${one.area}/${one.name}.js`;
    const way = posix.relative(posix.dirname(path), from);
    return `import { ${functionOf(one)} } from '${way.startsWith('.') ? way : `./${way}`}';\n`;
  };
  const lines = module.uses.map(importOf);
  if (module.unused !== undefined) {
    lines.push(importOf(module.unused));
    planted.unusedImports.push({ file: path, name: functionOf(module.unused) });
  }
  const sum = ['n', String(module.constant), ...module.uses.map((used) => `${functionOf(used)}(n)`)].join(' + ');
  lines.push(
    `${lines.length > 0 ? '\n' : ''}/** Module ${module.index}. */\nexport function ${functionOf(module)}(n) {\n  return (${sum}) % ${MODULUS};\n}\n`,
  );
  if (module.dead) {
    const name = `legacy${module.index}`;
    lines.push(`\n/** Nobody calls this any more. */\nexport function ${name}() {\n  return ${module.index};\n}\n`);
    planted.unusedExports.push({ file: path, name });
  }
  return lines.join('');
}
