import type { RunSummary } from '../report/run-summary.js';
import { makeReport, type ReportFormat } from './report-formats.js';
import { printError, printLine, printProblem } from './streams.js';
import { writeToFile } from './write-out.js';

/** The reports that a run was asked to write: a file for each. */
export interface OutputOptions {
  readonly html?: string;
  readonly md?: string;
  readonly junit?: string;
  readonly trace?: string;
}

const FORMATS = ['html', 'md', 'junit', 'trace'] as const satisfies readonly (ReportFormat & keyof OutputOptions)[];

/** Writes them from the run's records, and says where they are. Whether all of them were written. */
export async function writeOutputs(runDir: string, options: OutputOptions, say: (text: string) => void): Promise<boolean> {
  let all = true;
  for (const format of FORMATS) {
    const file = options[format];
    if (file === undefined) continue;
    const made = await makeReport(runDir, format, { color: false });
    const written = made.ok ? await writeToFile(file, made.value) : made;
    if (written.ok) say(`Written: ${file}`);
    else {
      printProblem(written.error);
      all = false;
    }
  }
  return all;
}

/** In a job of GitHub Actions: the report on the job's page, and an annotation for each cause of failure. */
export async function tellGitHub(summary: RunSummary, planFile: string, quiet: boolean): Promise<void> {
  if (process.env['GITHUB_ACTIONS'] !== 'true') return;
  const { annotations, stepSummary } = await import('../report/github.js');
  const workspace = process.env['GITHUB_WORKSPACE'];
  // Whatever reads standard output as data must not find commands in it; Actions reads both streams.
  const print = quiet ? printError : printLine;
  for (const line of annotations(summary, planFile, workspace)) print(line);
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (file === undefined || file === '') return;
  const { appendFile } = await import('node:fs/promises');
  try {
    await appendFile(file, stepSummary(summary));
  } catch (error) {
    printError(`waveplan: cannot write the step summary ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
