import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { systemProblem } from '../checkpoint/problem.js';
import { parsePlan } from '../plan/parse-plan.js';
import { inertLine } from '../report/inert.js';
import { commandName } from './command-name.js';
import { EXIT } from './exit-code.js';
import type { Offer } from './init/offers.js';
import { openLineReader } from './line-reader.js';
import { printError, printLine, printProblem } from './streams.js';

interface InitOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly plan?: string;
}

/** `waveplan init [FILE]`: looks at the folder and writes a plan that runs there. */
export function initCommand(): Command {
  return new Command('init')
    .description('look at the folder, offer plans that run there, and write the chosen one')
    .argument('[file]', 'the plan file to write', 'plan.yaml')
    .option('-p, --plan <name>', 'take the offer of that name, and do not ask')
    .option('-y, --yes', 'take the first offer, and do not ask')
    .option('-n, --dry-run', 'print the plan; writes nothing')
    .option('-f, --force', 'replace a file that is there already')
    .action(async (file: string, options: InitOptions) => {
      process.exitCode = await init(file, options);
    });
}

async function init(file: string, options: InitOptions): Promise<number> {
  const path = resolve(file);
  if (options.dryRun !== true && options.force !== true && existsSync(path)) {
    printError(`waveplan: ${file} is there already: name another file, or replace it with --force`);
    return EXIT.refused;
  }
  const { surveyFolder } = await import('./init/survey.js');
  const { offersFor } = await import('./init/offers.js');
  const offers = offersFor(surveyFolder(dirname(path)));
  const chosen = await choose(offers, options);
  if (chosen === undefined) return EXIT.refused;
  const text = `${schemaLine(dirname(path))}${chosen.text}`;
  const checked = parsePlan(text, { file: path });
  if (!checked.ok)
    throw new Error(`Internal error: the offer '${chosen.name}' is no valid plan: ${checked.error[0]?.message ?? ''}`);
  if (options.dryRun === true) {
    process.stdout.write(text);
    return EXIT.done;
  }
  try {
    // Never over a file that has come in the meantime.
    writeFileSync(path, text, { flag: options.force === true ? 'w' : 'wx' });
  } catch (error) {
    printProblem(systemProblem(`write ${file}`, error));
    return EXIT.environment;
  }
  printLine(`Written: ${file}, which ${chosen.why}.\n`);
  printLine(`  ${commandName()} plan ${file}    # what a run would do; writes nothing`);
  printLine(`  ${commandName()} run ${file}     # shows that, asks, runs, reports`);
  return EXIT.done;
}

/** The offer that was named, else the one that the user picks where there is a terminal to ask, else the first. */
async function choose(offers: readonly Offer[], options: InitOptions): Promise<Offer | undefined> {
  if (options.plan !== undefined) {
    const named = offers.find(({ name }) => name === options.plan);
    if (named === undefined)
      printError(`waveplan: there is no offer '${inertLine(options.plan)}' here: ${offers.map(({ name }) => name).join(', ')}`);
    return named;
  }
  const [first] = offers;
  if (options.yes === true || options.dryRun === true || !(process.stdin.isTTY && process.stdout.isTTY)) return first;
  printLine('Plans that run here:\n');
  for (const [position, { name, why }] of offers.entries()) printLine(`  ${position + 1}. ${name.padEnd(8)} ${why}`);
  printLine('');
  const reader = openLineReader(process.stdin, process.stdout, () => offers.map(({ name }) => name));
  try {
    for (;;) {
      const line = await reader.ask(`Which one? (1${offers.length > 1 ? `-${offers.length}` : ''}, Enter for 1, q for none) `);
      const answer = line?.trim().toLowerCase();
      if (answer === undefined || ['q', 'quit', 'no', 'n', 'none'].includes(answer)) {
        printError('Nothing was written.');
        return undefined;
      }
      const picked = answer === '' ? first : (offers[Number(answer) - 1] ?? offers.find(({ name }) => name === answer));
      if (picked !== undefined) return picked;
      printLine(`Please answer with a number from 1 to ${offers.length}, or with a name.`);
    }
  } finally {
    reader.close();
  }
}

/** For editors that complete and explain keys, where the schema is installed. */
function schemaLine(folder: string): string {
  const schema = 'node_modules/waveplan/schemas/plan.schema.json';
  return existsSync(join(folder, schema)) ? `# yaml-language-server: $schema=./${schema}\n` : '';
}
