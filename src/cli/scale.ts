import { join } from 'node:path';
import { Command } from 'commander';
import { readCalibration } from '../checkpoint/calibration-store.js';
import { openWorkspace } from '../checkpoint/workspace.js';
import { err, ok, type Result } from '../model/result.js';
import { type Overhead, type ScalingDecision, TASK_TYPES, type TaskType } from '../model/scaling-decision.js';
import { parseAgents } from '../plan/agents-setting.js';
import { loadMethodology, type Methodology } from '../plan/methodology.js';
import { parseDuration, parseRate, parseSize } from '../plan/quantities.js';
import { measuredOverhead } from '../scaling/calibrated.js';
import { decideScaling, type RequestedAgents, type ScalingInput } from '../scaling/decide.js';
import type { WaveWork } from '../scaling/fit.js';
import { fingerprintOf, readMachine } from '../scaling/machine.js';
import { whatIf } from '../scaling/what-if.js';
import { EXIT } from './exit-code.js';
import { packageVersion } from './package-version.js';
import { printDiagnostics } from './plan-options.js';
import { panelWidth, printError, printJson, printLine, wantsColor } from './streams.js';

type Texts = Readonly<
  Partial<
    Record<
      'subtasks' | 'width' | 'avg' | 'type' | 'overhead' | 'cores' | 'memory' | 'rate' | 'connections' | 'agents' | 'methodology',
      string
    >
  >
>;

/** `waveplan scale`: the scaling decision without a plan. */
export function scaleCommand(): Command {
  return new Command('scale')
    .description('decide how many agents pay off, without a plan')
    .option('--subtasks <n>', 'subtasks in all')
    .option('--width <n>', 'the most subtasks that can run at once (default: all)')
    .option('--avg <duration>', 'of one subtask: 3s, 200ms, 5m')
    .option('--type <type>', TASK_TYPES.join(', '))
    .option('--overhead <duration>', 'coordination per agent (default: the methodology, not measured)')
    .option('--cores <n>', "default: this machine's")
    .option('--memory <size>', "default: this machine's")
    .option('--rate <rate>', 'requests that may be made: 1000/min, 10/s')
    .option('--connections <n>', 'connections that may be open')
    .option('--agents <count>', 'what a user asks for: 50, 75%, auto')
    .option('--methodology <file>', 'the scaling rules, in place of the built-in ones')
    .option('--what-if', 'also show what other numbers of agents are predicted to take')
    .option('--json', 'print one JSON object')
    .action(async (options: Texts & ScaleView) => {
      process.exitCode = await scale(options, options);
    });
}

async function scale(texts: Texts, show: ScaleView): Promise<number> {
  const methodology = loadMethodology(texts.methodology);
  if (!methodology.ok) {
    printDiagnostics(methodology.error);
    return EXIT.refused;
  }
  const errors: string[] = [];
  const read = <Value>(name: keyof Texts, parse: (text: string) => Result<Value, string>): Value | undefined => {
    const text = texts[name];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value.ok) return value.value;
    errors.push(`--${name}: ${value.error}`);
    return undefined;
  };
  const required = (name: keyof Texts): void => {
    if (texts[name] === undefined) errors.push(`--${name} is missing`);
  };
  required('subtasks');
  required('avg');
  const subtasks = read('subtasks', count) ?? 1;
  const width = read('width', count) ?? subtasks;
  const averageMs = read('avg', positive(parseDuration)) ?? 1;
  const type = read('type', taskType) ?? 'general';
  const overheadMs = read('overhead', parseDuration);
  const machine = readMachine();
  const cores = read('cores', count) ?? machine.cores;
  const memoryBytes = read('memory', positive(parseSize)) ?? machine.memoryBytes;
  const ratePerMinute = read('rate', positive(parseRate));
  const connections = read('connections', count);
  const agents = read('agents', parseAgents);
  if (width > subtasks && errors.length === 0)
    errors.push(`--width: ${width} at once are more than the ${subtasks} subtasks there are`);
  if (errors.length > 0) {
    for (const error of errors) printError(`waveplan scale: ${error}`);
    return EXIT.refused;
  }
  const overhead = overheadMs === undefined ? await knownOverhead(methodology.value) : givenOverhead(overheadMs);
  const requested: RequestedAgents | undefined = agents === undefined || agents.kind === 'auto' ? undefined : agents;
  const averageMinutes = averageMs / 60_000;
  const input: ScalingInput = {
    requested,
    subtasks,
    widestWave: width,
    averageMinutes,
    waves: evenWaves(subtasks, width, averageMs / 1000),
    type,
    overhead,
    limits: { ratePerMinute, connections, iops: undefined, memoryPerAgentBytes: undefined },
  };
  const asked = { ...machine, cores, memoryBytes };
  const decision = decideScaling(input, methodology.value, asked);
  const others = show.whatIf === true ? whatIf(input, methodology.value, asked) : undefined;
  if (show.json === true) {
    printJson({ ...toJson(decision), ...(others && { whatIf: others }) });
    return EXIT.done;
  }
  const { renderDecision } = await import('../report/scaling-section.js');
  const { renderWhatIf } = await import('../report/what-if-table.js');
  const view = { color: wantsColor(process.stdout), width: panelWidth(process.stdout) };
  printLine(renderDecision(decision, view));
  if (others !== undefined) printLine(renderWhatIf(others, view));
  return EXIT.done;
}

interface ScaleView {
  readonly json?: boolean;
  readonly whatIf?: boolean;
}

function givenOverhead(ms: number): Overhead {
  return { secondsPerAgent: ms / 1000, secondsPerWave: 0, source: 'given' };
}

/** What a bench or a run measured here for modules, else the methodology's. */
async function knownOverhead({ overheadSecondsPerAgent }: Methodology): Promise<Overhead> {
  const { stateDir } = openWorkspace({ planFile: join(process.cwd(), 'plan.yaml') });
  const calibration = await readCalibration(stateDir, fingerprintOf(readMachine(), packageVersion()));
  if (calibration !== undefined) return measuredOverhead(calibration, 'modules');
  return { secondsPerAgent: overheadSecondsPerAgent, secondsPerWave: 0, source: 'methodology' };
}

/** As many full waves as there are subtasks for, and a last one with the rest. */
function evenWaves(subtasks: number, width: number, seconds: number): WaveWork[] {
  const times = Math.floor(subtasks / width);
  const rest = subtasks - times * width;
  const full = { subtasks: width, times, seconds };
  return rest === 0 ? [full] : [full, { subtasks: rest, seconds }];
}

/** The contract of `scale --json`: the return is that of the formula's count, which the methodology's cases state. */
function toJson({ mode, formula, capacity, fit, decided, formulaRoi, warnings }: ScalingDecision) {
  const { ratio, band, timeSavedMinutes } = formulaRoi;
  return { mode, formula, capacity: capacity.agents, fit, decided, roi: { ratio, band, timeSavedMinutes }, warnings };
}

function count(text: string): Result<number, string> {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 1e9) return err(`'${text}' is not a whole number from 1 to 1,000,000,000`);
  return ok(value);
}

function positive(parse: (text: string) => Result<number, string>): (text: string) => Result<number, string> {
  return (text) => {
    const value = parse(text);
    return !value.ok || value.value > 0 ? value : err(`'${text}' must be more than nothing`);
  };
}

function taskType(text: string): Result<TaskType, string> {
  const known = TASK_TYPES.find((type) => type === text);
  return known === undefined ? err(`'${text}' is none of ${TASK_TYPES.join(', ')}`) : ok(known);
}
