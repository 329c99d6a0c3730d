// Makes plans/REFERENCE.md from the plan schema, whose descriptions are the reference: `npm run reference`.
// With --print it goes to standard output; a test compares the two.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const schema = JSON.parse(readFileSync(new URL('plan.schema.json', import.meta.url), 'utf8'));
const actionsDir = new URL('actions/', import.meta.url);

/** A schema with what it refers to; the name of a definition is kept for links. */
function resolve(node) {
  if (node.$ref !== undefined) {
    const name = node.$ref.replace('#/definitions/', '');
    const target = resolve(schema.definitions[name]);
    return { ...target, ...node, name };
  }
  if (node.allOf !== undefined) {
    const [first] = node.allOf.map(resolve);
    return { ...first, ...node, name: first.name };
  }
  return node;
}

const code = (value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
/** In a table a bar ends a cell, also in code. */
const cell = (text) => text.replace(/\|/g, '\\|').replace(/\n+/g, ' ').trim();

/** What a key takes, in a few words. */
function takes(node) {
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map(code).join(', ');
  const types = [node.type ?? 'anything']
    .flat()
    .map((type) => (type === 'array' && node.items !== undefined ? 'list' : type === 'array' ? 'list' : type));
  const range =
    node.minimum !== undefined && node.maximum !== undefined
      ? ` from ${node.minimum.toLocaleString('en-US')} to ${node.maximum.toLocaleString('en-US')}`
      : node.minimum !== undefined
        ? ` from ${node.minimum}`
        : '';
  return types.join(' or ') + range;
}

/** Prose of the schema, which is plain text: what Markdown or HTML would take for markup is escaped outside of its code. */
function prose(text) {
  return text
    .split(/(`[^`]*`|\$\{\{.*?\}\}|--?[a-z][a-z-]* [a-z]+=[a-z]+|\$[A-Z]+_<[a-z]+>)/)
    .map((part, i) => {
      if (part.startsWith('`')) return part;
      if (i % 2 === 1) return code(part);
      return part.replace(/[<>*_]/g, (mark) => (mark === '<' ? '&lt;' : mark === '>' ? '&gt;' : `\\${mark}`));
    })
    .join('');
}

const sections = [];
const seen = new Set();

/** One table for an object with keys of its own, and tables for the objects in it. */
function section(title, node, depth, names = 'Key') {
  const required = new Set(node.required ?? []);
  const rows = [];
  const below = [];
  for (const [key, raw] of Object.entries(node.properties)) {
    const value = resolve(raw);
    const words = [prose(value.description ?? '')];
    if (required.has(key)) words.push('**Required.**');
    if (value.default !== undefined) words.push(`Default: ${code(value.default)}.`);
    if (value.examples !== undefined) words.push(`Such as ${value.examples.map(code).join(', ')}.`);
    const inner = objectIn(value);
    const known = inner?.title ?? value.name ?? `${title} ${key}`;
    if (inner !== undefined && !seen.has(known)) {
      seen.add(known);
      below.push([inner.title ?? `\`${key}\``, inner.node]);
    }
    rows.push(`| \`${key}\` | ${cell(takes(value))} | ${cell(words.join(' '))} |`);
  }
  const text = [
    `${'#'.repeat(depth)} ${title}`,
    '',
    prose(node.description ?? ''),
    '',
    `| ${names} | takes | |`,
    '| --- | --- | --- |',
    ...rows,
  ];
  sections.push(text.filter((line, i) => !(line === '' && text[i - 1] === '')).join('\n'));
  for (const [name, inner] of below) section(name, inner, Math.min(depth + 1, 4));
}

/** The object with keys of its own that a key takes: its value, or the values under names that the plan chooses. */
function objectIn(value) {
  if (value.properties !== undefined) return { node: value };
  if (typeof value.additionalProperties !== 'object') return undefined;
  const each = resolve(value.additionalProperties);
  if (each.properties === undefined) return undefined;
  const titles = { task: 'A task', finallyTask: 'A task under `finally`', param: 'A param', poolDefinition: 'A pool' };
  return { node: each, title: titles[each.name] };
}

section('The plan', schema, 2);

const actions = [];
try {
  for (const file of readdirSync(actionsDir)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    const action = JSON.parse(readFileSync(new URL(file, actionsDir), 'utf8'));
    if (action.properties !== undefined) actions.push([action.title ?? file.replace(/(\.schema)?\.json$/, ''), action]);
  }
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
if (actions.length > 0) sections.push('## Built-in actions\n\nUnder `uses`, with these keys under `with`.');
for (const [title, action] of actions) section(`\`${title}\``, action, 3);

const page = `# Reference of plan files

<!-- Made from schemas/plan.schema.json by \`npm run reference\`: change the descriptions there. -->

Every key of a plan, as \`waveplan schema\` and an editor with the schema have it. Expressions, commands and modules are explained in the [README](../README.md#the-plan-file).

${sections.join('\n\n')}
`;

if (process.argv.includes('--print')) process.stdout.write(page);
else writeFileSync(new URL('../plans/REFERENCE.md', import.meta.url), page);
