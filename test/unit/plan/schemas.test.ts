import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import validateCheckpoint from '#validators/checkpoint';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { TASK_TYPES } from '../../../src/model/scaling-decision.js';
import { diagnose, planOf } from './marked-plan.js';

type Schema = { readonly [key: string]: unknown };

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function read(name: string): Schema {
  const parsed: unknown = JSON.parse(readFileSync(new URL(`../../../schemas/${name}.schema.json`, import.meta.url), 'utf8'));
  if (!isSchema(parsed)) throw new Error('a schema is an object');
  return parsed;
}

/** Every subschema that describes a value, with its place. */
function* valuesOf(schema: Schema, place: string): Generator<readonly [string, Schema]> {
  for (const group of ['properties', 'definitions']) {
    const members = schema[group];
    if (!isSchema(members)) continue;
    for (const [name, member] of Object.entries(members)) {
      if (!isSchema(member)) continue;
      yield [`${place}/${name}`, member];
      yield* valuesOf(member, `${place}/${name}`);
    }
  }
  for (const inner of ['items', 'additionalProperties']) {
    const member = schema[inner];
    if (!isSchema(member)) continue;
    yield [`${place}/${inner}`, member];
    yield* valuesOf(member, `${place}/${inner}`);
  }
}

function at(schema: Schema, ...path: readonly string[]): Schema {
  let found = schema;
  for (const step of path) {
    const next = found[step];
    if (!isSchema(next)) throw new Error(`no ${step}`);
    found = next;
  }
  return found;
}

describe.each(['plan', 'methodology', 'checkpoint'])('the %s schema', (name) => {
  const schema = read(name);

  it('is valid JSON Schema', () => {
    expect(new Ajv().validateSchema(schema)).toBe(true);
  });

  it('describes every value, for editors and the reference', () => {
    const silent = [...valuesOf(schema, '')].filter(
      ([, value]) => value['$ref'] === undefined && typeof value['description'] !== 'string',
    );
    expect(silent.map(([place]) => place)).toEqual([]);
  });

  it('lets no unknown key through', () => {
    const open = [...valuesOf(schema, '')].filter(
      // Names that users give have a schema of their own.
      ([, { properties, additionalProperties: others }]) => properties !== undefined && others !== false && !isSchema(others),
    );
    expect(open.map(([place]) => place)).toEqual([]);
  });
});

describe('the plan schema', () => {
  const schema = read('plan');

  it('knows the types of work that the scaling knows', () => {
    expect(at(schema, 'properties', 'type')['enum']).toEqual(TASK_TYPES);
  });

  const PLAN_KEYS: Readonly<Record<string, string>> = {
    version: '',
    name: '',
    tasks: '',
    description: 'description: d\n',
    request: 'request: tidy up\n',
    type: 'type: computation\n',
    agents: 'agents: 5\n',
    sync: 'sync: wave\n',
    backup: 'backup: ref\n',
    include: 'include: [./shared.yaml]\n',
    params: 'params: { a: { type: string, default: b, description: c, choices: [a, b] } }\n',
    templates: 'templates: { a: { run: y } }\n',
    secrets: 'secrets: [A]\n',
    env: 'env: { A: b }\n',
    limits: 'limits: { rate: 1/s, connections: 1, iops: 1, memoryPerAgent: 1MB }\n',
    pools: 'pools: { a: 1 }\n',
    failure: 'failure: { minor: 1% }\n',
    defaults: 'defaults: { timeout: 1s, retries: { max: 1, backoff: 1s, factor: 1, jitter: none } }\n',
    finally: 'finally: { c: { run: x } }\n',
  };
  const TASK_KEYS: Readonly<Record<string, string>> = {
    template: 'template: base',
    phase: 'run: x, phase: A',
    needs: 'run: x, needs: [first]',
    foreach: 'run: x, foreach: [1]',
    batch: 'run: x, foreach: [1], batch: 2',
    uses: 'uses: ./tasks/rename.ts',
    with: 'uses: ./tasks/rename.ts, with: 5',
    run: 'run: x',
    env: 'run: x, env: { A: b }',
    cwd: 'run: x, cwd: y',
    output: 'run: x, output: json',
    if: 'run: x, if: true',
    success: 'run: x, success: [results.exitCode == 0]',
    timeout: 'run: x, timeout: 1s',
    subtaskTimeout: 'run: x, subtaskTimeout: 1m',
    retries: 'run: x, retries: { max: 1, on: [75, timeout, /lost/] }',
    estimate: 'run: x, estimate: 1s',
    pool: 'run: x, pool: a',
    inputs: 'run: x, inputs: [a]',
    outputs: 'run: x, outputs: [a]',
  };

  it('has no key without a case below', () => {
    expect(Object.keys(at(schema, 'properties')).sort()).toEqual(Object.keys(PLAN_KEYS).sort());
    expect(Object.keys(at(schema, 'definitions', 'task', 'properties')).sort()).toEqual(Object.keys(TASK_KEYS).sort());
    const finallyKeys = Object.keys(at(schema, 'definitions', 'finallyTask', 'properties'));
    expect([...finallyKeys, 'needs', 'foreach', 'batch', 'inputs', 'outputs'].sort()).toEqual(Object.keys(TASK_KEYS).sort());
  });

  it.each(Object.entries(PLAN_KEYS))('%s is accepted', (_, line) => {
    expect(diagnose(planOf('  t: { run: x }\n', line)).map((one) => one.code)).toEqual([]);
  });

  it.each(Object.entries(TASK_KEYS))('%s of a task is accepted', (_, task) => {
    expect(
      diagnose(planOf(`  first: { run: x }\n  t: { ${task} }\n`, 'templates: { base: { run: x } }\npools: { a: 1 }\n')).map(
        (one) => one.code,
      ),
    ).toEqual([]);
  });
});

describe('the checkpoint schema', () => {
  const checkpoint: Checkpoint = {
    wave: 1,
    task_id: 'rename[3]',
    status: 'failure',
    results: null,
    timestamp: '2024-01-15T14:30:45.123Z',
    agent_id: 'agent_3',
    key: 'abc',
    attempt: 2,
    started: 1_705_329_045_123,
    duration_ms: 12.5,
    error: { kind: 'command', message: 'exit code 1', exitCode: 1 },
  };

  it('accepts a record', () => {
    expect(validateCheckpoint(checkpoint)).toBe(true);
  });

  it('refuses a record that lacks a field, or has one more, or one of another kind', () => {
    for (const field of Object.keys(checkpoint)) {
      const rest = Object.fromEntries(Object.entries(checkpoint).filter(([name]) => name !== field));
      expect(validateCheckpoint(rest)).toBe(field === 'error');
    }
    expect(validateCheckpoint({ ...checkpoint, more: 1 })).toBe(false);
    expect(validateCheckpoint({ ...checkpoint, status: 'done' })).toBe(false);
    expect(validateCheckpoint({ ...checkpoint, timestamp: 'yesterday' })).toBe(false);
    expect(validateCheckpoint(null)).toBe(false);
  });
});
