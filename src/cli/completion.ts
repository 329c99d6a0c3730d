import { Argument, Command } from 'commander';
import { bashScript } from './completion/bash.js';
import { fishScript } from './completion/fish.js';
import { describeCommands } from './completion/words.js';
import { zshScript } from './completion/zsh.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `waveplan completion SHELL`: prints a script that lets the shell complete verbs, options and their values. */
export function completionCommand(program: () => Command): Command {
  return new Command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      const words = describeCommands(program());
      const make = { bash: bashScript, zsh: zshScript, fish: fishScript };
      process.stdout.write(make[shell](words));
    });
}
