import { Command } from 'commander';
import { compileGraph } from '../graph/compile-graph.js';
import { groupWaves } from '../graph/waves.js';
import { counted } from '../report/figures.js';
import { EXIT } from './exit-code.js';
import { addPlanOptions, loadFromOptions, type PlanOptions } from './plan-options.js';
import { printLine } from './streams.js';

/** `waveplan validate PLAN…`: says what is wrong with plans, all at once, or that nothing is. */
export function validateCommand(): Command {
  const command = new Command('validate')
    .description('check plan files: every mistake at once, each with its place')
    .argument('<plan...>', 'plan files');
  return addPlanOptions(command).action((files: readonly string[], options: PlanOptions) => {
    for (const file of files) {
      const loaded = loadFromOptions(file, options);
      if (loaded === undefined) process.exitCode = EXIT.refused;
      else {
        const waves = groupWaves(compileGraph(loaded.plan));
        printLine(`${file}: valid (${counted(loaded.plan.tasks.length, 'task')} in ${counted(waves.length, 'wave')})`);
      }
    }
  });
}
