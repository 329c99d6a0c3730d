import { Command, CommanderError } from 'commander';
import { teachByExample } from './examples.js';
import { EXIT } from './exit-code.js';
import { packageVersion } from './package-version.js';
import { hasLostOutput, printError, printProblem, surviveOutputErrors } from './streams.js';
import { verbsFor } from './verbs.js';

/**
 * The command line: runs a verb to its end and sets the exit code.
 * @param afterRun called once a plan was run: what a run needs is loaded and compiled then. Other verbs leave no trace.
 */
export async function main(argv: readonly string[], afterRun: () => void = () => {}): Promise<void> {
  surviveOutputErrors('standard output', process.stdout);
  surviveOutputErrors('standard error', process.stderr);
  // Errors of a stream are told later than the write that failed; the last of them counts too.
  process.once('beforeExit', () => {
    if (hasLostOutput() && (process.exitCode ?? EXIT.done) === EXIT.done) process.exitCode = EXIT.environment;
  });
  const program = new Command('waveplan')
    .description('Runs a pile of work in parallel, safely: a YAML plan becomes waves of subtasks.')
    .version(packageVersion())
    .showSuggestionAfterError()
    .exitOverride()
    .hook('postAction', (_, verb) => {
      const isOver = process.exitCode === EXIT.done || process.exitCode === EXIT.failed;
      if (verb.name() === 'run' && verb.opts<{ dryRun?: boolean }>().dryRun !== true && isOver) afterRun();
    });
  for (const command of await verbsFor(program, argv[2])) {
    program.addCommand(teachByExample(command.exitOverride()));
  }
  teachByExample(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    // `exitCode`, never `exit()`: that would cut what a pipe has not taken yet.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.refused;
    else {
      if (isFolderGone(error))
        printProblem({ message: 'the current folder is not there any more', hint: 'change to one that is: cd' });
      else printError(`waveplan: ${error instanceof Error ? error.message : String(error)}`);
      if (process.env['WAVEPLAN_DEBUG'] !== undefined && error instanceof Error) printError(error.stack ?? '');
      process.exitCode = EXIT.environment;
    }
  }
}

/** Node cannot tell where it is: somebody removed the folder that the command was started in. */
function isFolderGone(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';
}
