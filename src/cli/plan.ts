import { Command } from 'commander';
import { whatIfOf } from './compile-plan.js';
import { EXIT } from './exit-code.js';
import {
  addPlanOptions,
  addSelectionOptions,
  loadFromOptions,
  type PlanOptions,
  prepareFromOptions,
  type SelectionOptions,
} from './plan-options.js';
import { panelWidth, printJson, printLine, wantsColor } from './streams.js';

/** `waveplan plan PLAN`: shows what a run would do, and writes nothing. */
export function planCommand(): Command {
  const command = new Command('plan')
    .description('show what a run would do: tasks, scaling decision, waves, expected time')
    .argument('<plan>', 'plan file')
    .option('--json', 'print the analysis as one JSON object')
    .option('--what-if', 'also show what other numbers of agents are predicted to take');
  return addSelectionOptions(addPlanOptions(command)).action(
    async (file: string, options: PlanOptions & SelectionOptions & { readonly json?: boolean; readonly whatIf?: boolean }) => {
      const loaded = loadFromOptions(file, options);
      if (loaded === undefined) {
        process.exitCode = EXIT.refused;
        return;
      }
      const { compiled } = await prepareFromOptions(loaded, options, options.json === true ? () => {} : printLine);
      if (options.json === true) {
        printJson(compiled.analysis);
        return;
      }
      const { renderAnalysis } = await import('../report/analysis-panel.js');
      const view = { color: wantsColor(process.stdout), width: panelWidth(process.stdout) };
      printLine(renderAnalysis(compiled.analysis, view));
      if (options.whatIf === true) {
        const { renderWhatIf } = await import('../report/what-if-table.js');
        printLine(renderWhatIf(whatIfOf(compiled), view));
      }
    },
  );
}
