import { readFileSync } from 'node:fs';
import { Command } from 'commander';

/** `waveplan schema`: prints the JSON Schema of plans, for editors and other tools. */
export function schemaCommand(): Command {
  return new Command('schema').description('print the JSON Schema of plan files').action(() => {
    process.stdout.write(readFileSync(new URL('../../schemas/plan.schema.json', import.meta.url), 'utf8'));
  });
}
