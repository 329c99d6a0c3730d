import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/cli.js';

const PAGE = readFileSync(join(PROJECT, 'plans', 'REFERENCE.md'), 'utf8');

describe('the reference of plan files', () => {
  it('is what the schema says: `npm run reference` makes it again', () => {
    const made = execFileSync(process.execPath, [join(PROJECT, 'schemas', 'make-reference.mjs'), '--print'], {
      encoding: 'utf8',
    });
    expect(PAGE).toBe(made);
  });

  it('has every key of the schema with its meaning, and tables that hold together', () => {
    const schema = JSON.parse(readFileSync(join(PROJECT, 'schemas', 'plan.schema.json'), 'utf8'));
    const nodes: readonly { readonly properties?: object }[] = [
      schema,
      ...Object.values<{ readonly properties?: object }>(schema.definitions),
    ];
    const keys = new Set(nodes.flatMap(({ properties }) => Object.keys(properties ?? {})));
    const rows = PAGE.split('\n').filter((line) => line.startsWith('| `'));
    for (const key of keys)
      expect(
        rows.some((row) => row.startsWith(`| \`${key}\` |`)),
        key,
      ).toBe(true);
    for (const row of rows) {
      expect(row.match(/(?<!\\)\|/g), row).toHaveLength(4);
      expect(row, row).not.toMatch(/\| \|$/);
    }
  });
});
