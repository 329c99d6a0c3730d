// Compiles the schemas of this folder to standalone validators in dist/validators/, so that no command
// compiles a schema when it starts. The package's own import map names them: `#validators/plan`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import Ajv from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { parse } from 'yaml';

const target = new URL('../dist/validators/', import.meta.url);
mkdirSync(target, { recursive: true });

for (const name of ['plan', 'methodology', 'checkpoint', 'calibration']) {
  const schema = JSON.parse(readFileSync(new URL(`${name}.schema.json`, import.meta.url), 'utf8'));
  // A damaged checkpoint or calibration is simply refused; of a plan, every mistake is told, with the schema around it.
  const thorough = name === 'plan' || name === 'methodology';
  const ajv = new Ajv({
    allErrors: thorough,
    verbose: thorough,
    strict: true,
    allowUnionTypes: true,
    strictTypes: false,
    code: { source: true, lines: true },
  });
  ajv.addVocabulary(['patternErrorMessage']);
  writeFileSync(new URL(`${name}.cjs`, target), standaloneCode.default(ajv, ajv.compile(schema)));
}

// The built-in methodology as plain data: every run reads it first, and parsing YAML takes longer than a small run.
const methodology = parse(readFileSync(new URL('methodology.yaml', import.meta.url), 'utf8'));
writeFileSync(new URL('methodology-data.cjs', target), `module.exports = ${JSON.stringify(methodology)};\n`);
