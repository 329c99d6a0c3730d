import { type Command, InvalidArgumentError, Option } from 'commander';
import { readCalibration } from '../checkpoint/calibration-store.js';
import { readHistory } from '../checkpoint/history-store.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import { readTextForDisplay } from '../data/files.js';
import type { Diagnostic } from '../model/diagnostic.js';
import type { JsonObject } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { parseAgents } from '../plan/agents-setting.js';
import { type ItemFilter, parseItemFilter } from '../plan/item-filter.js';
import { loadPlan } from '../plan/load-plan.js';
import { loadMethodology, type Methodology } from '../plan/methodology.js';
import { overridePlan } from '../plan/override-plan.js';
import { parseDuration } from '../plan/quantities.js';
import { selectTasks } from '../plan/select-tasks.js';
import type { AgentsSetting, ValidPlan } from '../plan/valid-plan.js';
import { formatDiagnostics } from '../report/diagnostics.js';
import { counted } from '../report/figures.js';
import type { Calibration } from '../scaling/calibration.js';
import type { ScalingPolicy } from '../scaling/decide.js';
import { History, historyKey } from '../scaling/history.js';
import { type Fleet, fingerprintOf, readMachine } from '../scaling/machine.js';
import { type CompiledPlan, compilePlan } from './compile-plan.js';
import { packageVersion } from './package-version.js';
import { diagnosticFormat, printError } from './streams.js';

/** The options of every verb that takes a plan. */
export interface PlanOptions {
  readonly param: Readonly<Record<string, string>>;
  readonly agents?: AgentsSetting;
  readonly backup?: ValidPlan['backup'];
  readonly sync?: ValidPlan['sync'];
  readonly retries?: number;
  readonly timeout?: number;
  readonly methodology?: string;
  /** Milliseconds. */
  readonly overhead?: number;
  readonly scaling?: ScalingPolicy;
  readonly cwd?: string;
  readonly stateDir?: string;
}

/** Adds those options to a verb. */
export function addPlanOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--param <name=value>', 'set a parameter of the plan; may be given again')
        .argParser(collectParam)
        .default({}, 'none'),
    )
    .addOption(
      new Option('-j, --agents <count>', 'agents: a number, a share of the capacity (75%), or auto').argParser(agentsArgument),
    )
    .addOption(new Option('--backup <mode>', 'how wave 0 backs the tree up').choices(['commit', 'ref', 'none']))
    .addOption(
      new Option('--sync <mode>', 'when subtasks start: behind the barrier of their wave, or as soon as they can').choices([
        'wave',
        'eager',
      ]),
    )
    .addOption(new Option('--retries <n>', 'attempts beyond the first, for every task').argParser(countArgument))
    .addOption(new Option('--timeout <duration>', 'time for each attempt, for every task').argParser(timeoutArgument))
    .addOption(new Option('--methodology <file>', 'the scaling and failure rules, in place of the built-in ones'))
    .addOption(
      new Option('--overhead <duration>', 'coordination per agent, in place of the measured figure').argParser(durationArgument),
    )
    .addOption(
      new Option('--scaling <policy>', "which automatic number runs: the fit, or the formula's own").choices(['fit', 'formula']),
    )
    .addOption(new Option('-C, --cwd <dir>', "the folder to work in (default: the plan's git root, else its folder)"))
    .addOption(new Option('--state-dir <dir>', 'where runs are kept (default: .waveplan in the git root of the work folder)'));
}

/** The options of a verb that may take a part of a plan. */
export interface SelectionOptions {
  readonly only?: readonly string[];
  readonly until?: readonly string[];
  readonly filter?: readonly ItemFilter[];
}

/** Adds those options to a verb. */
export function addSelectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--only <tasks>', 'run just these tasks, without those that they need: a,b')
        .argParser(collectNames)
        .conflicts('until'),
    )
    .addOption(new Option('--until <tasks>', 'run these tasks and all that they need: a,b').argParser(collectNames))
    .addOption(
      new Option(
        '--filter <[task:]item[.field]=glob>',
        'of fan-outs, run the items that match (!= for the others); may be given again',
      ).argParser(collectFilter),
    );
}

/** Loads a plan as a verb's options ask. Mistakes are printed; `undefined` means that there were some. */
export function loadFromOptions(
  file: string,
  options: PlanOptions & SelectionOptions,
  earlier: { readonly params?: JsonObject } = {},
): LoadedPlan | undefined {
  const methodology = loadMethodology(options.methodology);
  const plan = loadPlan(file, { params: options.param, earlierParams: earlier.params });
  if (!methodology.ok) printDiagnostics(methodology.error);
  if (!plan.ok) printDiagnostics(plan.error);
  if (!methodology.ok || !plan.ok) return undefined;
  if (plan.value.warnings.length > 0) printDiagnostics(plan.value.warnings);
  const { agents, backup, sync, retries, timeout, only, until, filter } = options;
  const all = only === undefined && until === undefined && filter === undefined;
  const selected = all ? plan : selectTasks(plan.value, { only, until, filters: filter });
  if (!selected.ok) {
    for (const { message, hint } of selected.error) printError(`waveplan: ${message}${hint === undefined ? '' : `\n  ${hint}`}`);
    return undefined;
  }
  return {
    plan: overridePlan(selected.value, { agents, backup, sync, retries, timeoutMs: timeout }),
    methodology: methodology.value,
  };
}

/** A plan with the command line laid over it, and the rules to go by. */
export interface LoadedPlan {
  readonly plan: ValidPlan;
  readonly methodology: Methodology;
}

/** A plan compiled with what is known of this machine. */
export interface PreparedPlan {
  readonly compiled: CompiledPlan;
  /** Measured just now, because nothing was known. */
  readonly newCalibration: Calibration | undefined;
}

/**
 * Compiles a plan with this machine's calibration and history; without a calibration, makes a quick one and says so.
 * @param fleet the machines on which it will run, where they are others.
 */
export async function prepareFromOptions(
  { plan, methodology }: LoadedPlan,
  options: PlanOptions,
  say: (text: string) => void,
  fleet?: Fleet,
): Promise<PreparedPlan> {
  const { stateDir, folder } = openWorkspace({ planFile: plan.file, cwd: options.cwd, stateDir: options.stateDir });
  const machine = readMachine();
  const fingerprint = fingerprintOf(machine, packageVersion());
  const history = new History(await readHistory(stateDir), historyKey(fingerprint, fleet ?? machine));
  const overheadSeconds = options.overhead === undefined ? undefined : options.overhead / 1000;
  const common = { machine: fleet ?? machine, here: fleet && machine, folder, history, overheadSeconds, policy: options.scaling };
  const stored = overheadSeconds === undefined ? await readCalibration(stateDir, fingerprint) : undefined;
  const compiled = compilePlan(plan, methodology, { ...common, calibration: stored });
  if (stored !== undefined || overheadSeconds !== undefined || !hasChoice(compiled))
    return { compiled, newCalibration: undefined };

  const { quickCalibration } = await import('../measure/quick.js');
  const begun = performance.now();
  const newCalibration =
    (await quickCalibration({ machine: fingerprint, budgetMs: QUICK_CALIBRATION_MS })) ??
    (await quickCalibration({ machine: fingerprint, budgetMs: BUSY_CALIBRATION_MS }));
  if (newCalibration === undefined) {
    say("This machine's overhead could not be measured: the methodology's figure is taken.");
    return { compiled, newCalibration };
  }
  say(
    `Calibrated in ${Math.round(performance.now() - begun)} ms: nothing was known of this machine. For figures with bounds: waveplan bench`,
  );
  return { compiled: compilePlan(plan, methodology, { ...common, calibration: newCalibration }), newCalibration };
}

const QUICK_CALIBRATION_MS = 300;
/** Where other programs keep the cores busy. A second is a small price: the methodology's figure can be a hundred times too large. */
const BUSY_CALIBRATION_MS = 1500;

/** Whether any wave could use more than one agent, so that the overhead of an agent matters. */
function hasChoice({ analysis }: CompiledPlan): boolean {
  return analysis.decision.widestWave > 1 || analysis.expanding.length > 0;
}

/** Prints diagnostics to standard error, each with the source line that it is about. */
export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  printError(formatDiagnostics(diagnostics, readOrNothing, diagnosticFormat(process.stderr)));
  const count = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  const totals = [
    ...(count > 0 ? [counted(count, 'error')] : []),
    ...(count < diagnostics.length ? [counted(diagnostics.length - count, 'warning')] : []),
  ];
  printError(`\n${totals.join(', ')}`);
}

function readOrNothing(file: string): string {
  try {
    return readTextForDisplay(file);
  } catch {
    return '';
  }
}

export function collectParam(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write it as name=value');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function collectNames(text: string, before: readonly string[] | undefined): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('write names of tasks with commas between them');
  return [...(before ?? []), ...names];
}

function collectFilter(text: string, before: readonly ItemFilter[] | undefined): readonly ItemFilter[] {
  return [...(before ?? []), orInvalid(parseItemFilter(text))];
}

export function agentsArgument(text: string): AgentsSetting {
  return orInvalid(parseAgents(text));
}

export function durationArgument(text: string): number {
  return orInvalid(parseDuration(text));
}

/** As in a plan. */
const MAX_RETRIES = 100;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function timeoutArgument(text: string): number {
  const ms = durationArgument(text);
  if (ms <= 0 || ms > MAX_TIMEOUT_MS) throw new InvalidArgumentError('it must be more than 0 and at most 24 days');
  return ms;
}

export function countArgument(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  return orInvalid(count <= MAX_RETRIES ? ok(count) : err(`'${text}' is not a whole number from 0 to ${MAX_RETRIES}`));
}

/** The value, or commander's own error, which it prints with the option's name. */
export function orInvalid<Value>(result: Result<Value, string>): Value {
  if (!result.ok) throw new InvalidArgumentError(result.error);
  return result.value;
}
