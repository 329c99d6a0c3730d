import { Command, Option } from 'commander';
import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { readRegular } from '../data/files.js';
import { parseJson } from '../data/json.js';
import { displayText } from '../data/text.js';
import type { BenchProgress } from '../measure/bench.js';
import type { BenchReport } from '../measure/bench-report.js';
import type { RemoteRig } from '../measure/remote.js';
import { err, ok, type Result } from '../model/result.js';
import type { BenchWorkers } from './bench-workers.js';
import { EXIT } from './exit-code.js';
import { addRedisOptions, type RedisOptions, type RemoteProblem } from './remote.js';
import { printError, printJson, printLine, printProblem } from './streams.js';

interface BenchVerbOptions extends RedisOptions {
  readonly stateDir?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly duration: string;
  readonly compare?: readonly string[];
}

/** Below this no measurement gets its samples in time, and above it nothing is gained. Milliseconds. */
const DURATION = { least: 100, most: 3_600_000 };

/** `waveplan bench`: measures what the engine costs on this machine, or compares two such measurements. */
export function benchCommand(): Command {
  const command = new Command('bench')
    .description('measure the coordination overhead of this machine, for the scaling decision')
    .option('--state-dir <dir>', 'where calibration and reports are kept (default: .waveplan in the git root)')
    .option('--out <dir>', 'the folder for report.json and report.md (default: bench/<time> in the state folder)')
    .option('--json', 'print the report as one JSON object')
    .option('--duration <duration>', 'about how long to measure', '10s')
    .addOption(
      new Option('--compare <reports...>', 'say what changed beyond the noise between two report.json, or their folders'),
    );
  return addRedisOptions(command).action(async (options: BenchVerbOptions) => {
    process.exitCode = options.compare === undefined ? await bench(options) : await compare(options.compare, options.json);
  });
}

async function bench(options: BenchVerbOptions): Promise<number> {
  const { parseDuration } = await import('../plan/quantities.js');
  const duration = parseDuration(options.duration);
  if (!duration.ok || duration.value < DURATION.least || duration.value > DURATION.most) {
    printError(`waveplan bench: --duration: ${duration.ok ? `${options.duration} is not from 100ms to 1h` : duration.error}`);
    return EXIT.refused;
  }
  const workers = await workersOf(options);
  if (!workers.ok) {
    printProblem(workers.error);
    return workers.error.kind === 'use' ? EXIT.refused : EXIT.environment;
  }
  const done = await measure(options, duration.value, workers.value?.rig);
  await workers.value?.close();
  if (!done.ok) {
    printProblem(done.error);
    return EXIT.environment;
  }
  if (typeof done.value === 'number') return done.value;
  const { report, folder, calibration } = done.value;
  if (options.json === true) {
    printJson(report);
    return EXIT.done;
  }
  const { renderBench } = await import('../report/bench-text.js');
  printLine(`${renderBench(report)}\n\nReport: ${folder}\nCalibration: ${calibration}`);
  return EXIT.done;
}

/** The workers to measure, where `--redis` names some. */
async function workersOf(options: BenchVerbOptions): Promise<Result<BenchWorkers | undefined, RemoteProblem>> {
  if (options.redis === undefined) return ok(undefined);
  const { openBenchWorkers } = await import('./bench-workers.js');
  return openBenchWorkers(options, WORKERS_MS);
}

/** How long a bench waits for workers. */
const WORKERS_MS = 10_000;

interface Measured {
  readonly report: BenchReport;
  readonly folder: string;
  readonly calibration: string;
}

/** Measures and stores; a number is the exit code of a bench that a signal stopped. */
async function measure(
  options: BenchVerbOptions,
  durationMs: number,
  remote: RemoteRig | undefined,
): Promise<Result<Measured | number, EnvironmentProblem>> {
  const { join, resolve } = await import('node:path');
  const { openWorkspace, prepareBench } = await import('../checkpoint/workspace.js');
  const { calibrationFile, readCalibration, writeCalibration } = await import('../checkpoint/calibration-store.js');
  const { runBench } = await import('../measure/bench.js');
  const { readMachine } = await import('../scaling/machine.js');
  const { packageVersion } = await import('./package-version.js');
  const { stateDir } = openWorkspace({ planFile: join(process.cwd(), 'plan.yaml'), stateDir: options.stateDir });
  const name = new Date().toISOString().replace(/[:.]/g, '-');
  const prepared = await prepareBench(stateDir);
  if (!prepared.ok) return prepared;
  const folder = options.out === undefined ? join(prepared.value, name) : resolve(options.out);
  const stop = new AbortController();
  let stopped: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    stopped = signal;
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const report = await runBench({
    machine: readMachine(),
    waveplan: packageVersion(),
    stateDir,
    durationMs,
    onProgress: await openProgress(process.stderr),
    signal: stop.signal,
    remote,
  });
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  if (stopped !== undefined) {
    printError(`\n${stopped}: stopped; nothing was stored.`);
    return ok(stopped === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted);
  }
  if (!report.ok) return report;
  const stored = await storeReport(folder, report.value);
  if (!stored.ok) return stored;
  const { calibration } = report.value;
  // What was measured of workers holds until they are measured again.
  const before = remote === undefined ? await readCalibration(stateDir, calibration.machine) : undefined;
  const kept = await writeCalibration(
    stateDir,
    before?.remote === undefined ? calibration : { ...calibration, remote: before.remote },
  );
  return kept.ok ? ok({ report: report.value, folder, calibration: calibrationFile(stateDir) }) : kept;
}

/** A bar that is drawn again in place on a terminal, lines elsewhere. */
async function openProgress(stream: NodeJS.WriteStream): Promise<(progress: BenchProgress) => void> {
  const { progressBar, progressLine } = await import('../report/bench-text.js');
  if (stream.isTTY !== true) {
    return (progress) => {
      const line = progressLine(progress);
      if (line !== undefined) stream.write(`${line}\n`);
    };
  }
  const { cutToWidth } = await import('../report/display-width.js');
  const redraw = (await import('log-update')).createLogUpdate(stream, { showCursor: true });
  return (progress) => {
    if (progress.done === progress.total) redraw.clear();
    else redraw(cutToWidth(progressBar(progress), Math.max(20, stream.columns || 80) - 1));
  };
}

async function storeReport(folder: string, report: BenchReport): Promise<Result<void, EnvironmentProblem>> {
  const { makeFolders } = await import('../checkpoint/atomic-file.js');
  const { systemProblem } = await import('../checkpoint/problem.js');
  const { writeReportFile } = await import('../checkpoint/run-store.js');
  const { renderBenchMarkdown } = await import('../report/bench-markdown.js');
  try {
    await makeFolders(folder);
  } catch (error) {
    return err(systemProblem(`create ${folder}`, error));
  }
  const json = await writeReportFile(folder, 'report.json', `${JSON.stringify(report)}\n`);
  return json.ok ? writeReportFile(folder, 'report.md', renderBenchMarkdown(report)) : json;
}

async function compare(paths: readonly string[], json: boolean | undefined): Promise<number> {
  const [first, second] = paths;
  if (first === undefined || second === undefined || paths.length !== 2) {
    printError('waveplan bench: --compare takes two reports: the earlier one and the later one');
    return EXIT.refused;
  }
  const [before, after] = [await readReport(first), await readReport(second)];
  for (const report of [before, after]) if (!report.ok) printError(`waveplan bench: ${report.error}`);
  if (!before.ok || !after.ok) return EXIT.refused;
  const { compareBenches } = await import('../measure/compare.js');
  const comparison = compareBenches(before.value, after.value);
  if (json === true) {
    printJson(comparison);
    return EXIT.done;
  }
  const { renderComparison } = await import('../report/bench-text.js');
  printLine(renderComparison(comparison));
  return EXIT.done;
}

const REPORT_BYTES = 16 * 1024 ** 2;

/** The report that a path names, itself or by its folder. */
async function readReport(path: string): Promise<Result<BenchReport, string>> {
  const { stat } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const { asBenchReport } = await import('../measure/bench-report.js');
  try {
    const file = (await stat(path)).isDirectory() ? join(path, 'report.json') : path;
    const value = parseJson(displayText(await readRegular(file, REPORT_BYTES)));
    const report = value.ok ? asBenchReport(value.value) : undefined;
    return report === undefined ? err(`${file} is not the report of a bench`) : ok(report);
  } catch (error) {
    return err(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
