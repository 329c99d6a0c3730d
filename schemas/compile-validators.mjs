// Compiles the schemas of this folder to standalone validators in dist/validators/, so that no command
// compiles a schema when it starts. The package's own import map names them: `#validators/plan`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import Ajv from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { parse } from 'yaml';

const target = new URL('../dist/validators/', import.meta.url);
mkdirSync(target, { recursive: true });

const readSchema = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

/** Thorough: every mistake is told, with the schema around it. Otherwise a document is simply refused. */
const compiler = (thorough, schemas) => {
  const ajv = new Ajv({
    allErrors: thorough,
    verbose: thorough,
    strict: true,
    // An `if` asks for keys that are defined beside it.
    strictRequired: false,
    allowUnionTypes: true,
    strictTypes: false,
    code: { source: true, lines: true },
    ...(schemas && { schemas }),
  });
  ajv.addVocabulary(['patternErrorMessage']);
  return ajv;
};

for (const name of ['plan', 'methodology', 'checkpoint', 'calibration']) {
  const ajv = compiler(name === 'plan' || name === 'methodology');
  const compiled = ajv.compile(readSchema(`${name}.schema.json`));
  writeFileSync(new URL(`${name}.cjs`, target), standaloneCode.default(ajv, compiled));
}

// The built-in methodology as plain data: every run reads it first, and parsing YAML takes longer than a small run.
const methodology = parse(readFileSync(new URL('methodology.yaml', import.meta.url), 'utf8'));
writeFileSync(new URL('methodology-data.cjs', target), `module.exports = ${JSON.stringify(methodology)};\n`);
// One file for all built-in actions: validators of `with` by the action's name, and one with the schemas of their results.
const actions = readdirSync(new URL('actions/', import.meta.url)).map((file) => readSchema(`actions/${file}`));
const byName = Object.fromEntries(actions.map((schema) => [schema.title, schema]));
const ajv = compiler(true, byName);
const ids = Object.fromEntries(Object.keys(byName).map((name) => [name.replace(/\W/g, '_'), name]));
writeFileSync(new URL('actions.cjs', target), standaloneCode.default(ajv, ids));
const results = Object.fromEntries(actions.map(({ title, definitions }) => [title, definitions.result]));
writeFileSync(new URL('action-results.cjs', target), `module.exports = ${JSON.stringify(results)};\n`);
