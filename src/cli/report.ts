import { join } from 'node:path';
import { Command, Option } from 'commander';
import { openWorkspace } from '../checkpoint/workspace.js';
import { EXIT } from './exit-code.js';
import { findRun } from './find-run.js';
import { makeReport, REPORT_FORMATS, type ReportFormat } from './report-formats.js';
import { panelWidth, printLine, printProblem, wantsColor } from './streams.js';
import { writeToFile, writeToOutput } from './write-out.js';

interface ReportVerbOptions {
  readonly format: ReportFormat;
  readonly output?: string;
  readonly cwd?: string;
  readonly stateDir?: string;
}

/** Nobody reads these in a terminal: without a file named, they go into the run's folder. */
const FILES: Readonly<Partial<Record<ReportFormat, string>>> = { html: 'report.html', trace: 'trace.json' };

/** `waveplan report [RUN]`: makes any report of a run again from its records. */
export function reportCommand(): Command {
  return new Command('report')
    .description("make a run's report again from its records (without RUN: of the last run)")
    .argument('[run]', 'run id')
    .addOption(new Option('-f, --format <format>', 'what to make').choices(REPORT_FORMATS).default('terminal'))
    .option('-o, --output <file>', 'write it there instead of printing it')
    .option('-C, --cwd <dir>', 'the folder that the run worked in')
    .option('--state-dir <dir>', 'where runs are kept')
    .action(async (run: string | undefined, options: ReportVerbOptions) => {
      process.exitCode = await report(run, options);
    });
}

async function report(named: string | undefined, options: ReportVerbOptions): Promise<number> {
  const { cwd } = options;
  const { stateDir } = openWorkspace({ planFile: join(process.cwd(), 'plan.yaml'), cwd, stateDir: options.stateDir });
  const found = await findRun(stateDir, named);
  if (!found.ok) {
    printProblem(found.error);
    return EXIT.refused;
  }
  const { runDir } = found.value;
  const { stdout } = process;
  const color = options.output === undefined && wantsColor(stdout);
  const made = await makeReport(runDir, options.format, { color, width: panelWidth(stdout) });
  if (!made.ok) {
    printProblem(made.error);
    return EXIT.environment;
  }
  const own = FILES[options.format];
  const file = options.output ?? (stdout.isTTY === true && own !== undefined ? join(runDir, own) : undefined);
  if (file === undefined) {
    await writeToOutput(made.value);
    return EXIT.done;
  }
  const written = await writeToFile(file, made.value);
  if (!written.ok) {
    printProblem(written.error);
    return EXIT.environment;
  }
  printLine(`Written: ${file}`);
  return EXIT.done;
}
