import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { JsonObject, JsonValue } from '../model/json.js';
import { parseAgents } from '../plan/agents-setting.js';
import { durationArgument, type PlanOptions } from './plan-options.js';
import type { RunPlanOptions } from './run-plan.js';
import { type ShowOptions, showsText } from './show-run.js';
import { printNote } from './streams.js';

/** The options of every verb that runs subtasks. */
export interface ExecutionOptions extends ShowOptions, LockWaitOptions {
  readonly checkpointFiles?: string;
  readonly keepGoing?: boolean;
  readonly failFast?: boolean;
}

/** How long a verb waits for the lock of the state folder. */
export interface LockWaitOptions {
  /** Milliseconds. */
  readonly lockWait?: number;
}

/** Adds those options to a verb. */
export function addExecutionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-k, --keep-going', 'start more work whatever fails: no share of failures stops the run').conflicts('failFast'),
    )
    .option('--fail-fast', 'end running work, and the run, at the first failure that is not tried again')
    .addOption(new Option('-q, --quiet', 'print nothing but errors').conflicts('verbose'))
    .option('-v, --verbose', 'also print every subtask that ends, with what it said')
    .addOption(new Option('--json', 'print events, one JSON object a line, instead of text').conflicts('quiet'))
    .option('--html <file>', 'also write the report as one HTML page')
    .option('--md <file>', 'also write the report as Markdown')
    .option('--junit <file>', 'also write the subtasks as JUnit XML')
    .option('--trace <file>', 'also write a trace for Perfetto (ui.perfetto.dev)')
    .option('--checkpoint-files <dir>', 'also write each checkpoint as a file of its own')
    .addOption(lockWaitOption());
}

/** The option of every verb that takes the lock of the state folder. */
export function lockWaitOption(): Option {
  const told = 'how long to wait while another waveplan works with the state folder';
  return new Option('--lock-wait <duration>', told).argParser(durationArgument);
}

/** How a verb waits for the lock; undefined: not at all. */
export function lockWaitOf({ lockWait, ...show }: LockWaitOptions & ShowOptions): RunPlanOptions['lockWait'] {
  if (lockWait === undefined) return undefined;
  const say = showsText(show) ? printNote : () => {};
  return { ms: lockWait, onWait: (holder) => say(`Waiting for ${holder}, which works with the same state folder`) };
}

/** What a run was asked for beyond its plan, for the manifest; paths are absolute. */
export function askedOf(options: Partial<PlanOptions> & ExecutionOptions): JsonObject {
  const { agents, backup, retries, timeout, methodology, overhead, scaling, checkpointFiles, keepGoing, failFast } = options;
  const asked: Record<string, JsonValue | undefined> = {
    agents: agents && { ...agents },
    backup,
    retries,
    timeout,
    methodology: methodology && resolve(methodology),
    overhead,
    scaling,
    checkpointFiles: checkpointFiles && resolve(checkpointFiles),
    keepGoing,
    failFast,
  };
  return Object.fromEntries(Object.entries(asked).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

/** The options that a run was asked for, with those of the command that resumes it laid over them. */
export function askAgain<Options extends Partial<PlanOptions> & ExecutionOptions>(asked: JsonObject, options: Options): Options {
  const before: Record<string, JsonValue> = { ...asked };
  // One of the two excludes the other, and the later word counts.
  if (options.keepGoing === true) delete before['failFast'];
  if (options.failFast === true) delete before['keepGoing'];
  return { ...before, ...options };
}

/** Of a manifest that anybody may have edited: what is not as it should be is left out. */
export function readAsked(asked: JsonObject): JsonObject {
  const isText = (value: JsonValue) => typeof value === 'string';
  const isAmount = (value: JsonValue) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
  const isFlag = (value: JsonValue) => typeof value === 'boolean';
  const checks: Readonly<Record<string, (value: JsonValue) => boolean>> = {
    agents: isAgentsSetting,
    backup: (value) => value === 'commit' || value === 'ref' || value === 'none',
    retries: isAmount,
    timeout: isAmount,
    methodology: isText,
    overhead: isAmount,
    scaling: (value) => value === 'fit' || value === 'formula',
    checkpointFiles: isText,
    keepGoing: isFlag,
    failFast: isFlag,
  };
  return Object.fromEntries(Object.entries(asked).filter(([key, value]) => Object.hasOwn(checks, key) && checks[key]?.(value)));
}

function isAgentsSetting(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const { kind, agents, share } = value as { readonly [key: string]: JsonValue };
  if (kind === 'auto') return true;
  if (kind === 'count') return parseAgents(String(agents)).ok;
  return kind === 'share' && typeof share === 'number' && share > 0 && share <= 1;
}
