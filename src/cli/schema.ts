import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { BUILT_IN_ACTIONS, isBuiltInAction } from '../plan/built-in.js';
import { didYouMean } from '../plan/closest.js';
import { EXIT } from './exit-code.js';
import { printError } from './streams.js';

/** `waveplan schema [ACTION]`: prints the JSON Schema of plans, or of a built-in action's `with`, for editors and other tools. */
export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of plan files, or of what a built-in action takes')
    .argument('[action]', 'a built-in action, such as files/glob')
    .action((action: string | undefined) => {
      if (action !== undefined && !isBuiltInAction(action)) {
        const hint = didYouMean(action, BUILT_IN_ACTIONS) ?? `there are ${BUILT_IN_ACTIONS.join(', ')}`;
        printError(`waveplan: there is no built-in action '${action}': ${hint}`);
        process.exitCode = EXIT.refused;
        return;
      }
      const name = action === undefined ? 'plan' : `actions/${action.replace('/', '-')}`;
      process.stdout.write(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8'));
    });
}
