import type { BenchReport } from '../measure/bench-report.js';
import { threeDigits } from '../model/digits.js';
import type { Calibration, WaveCost } from '../scaling/calibration.js';
import { figure } from './figures.js';
import { inertLine } from './inert.js';

/** A short time in the unit that fits it: `850 ns`, `41.2 µs`, `1.2 ms`, `2.5 s`. */
export function shortTime(ms: number): string {
  if (!Number.isFinite(ms)) return 'not known';
  const [scale, unit] = ms >= 1000 ? [1e-3, 's'] : ms >= 1 || ms === 0 ? [1, 'ms'] : ms >= 1e-3 ? [1e3, 'µs'] : [1e6, 'ns'];
  return `${threeDigits(ms * scale)} ${unit}`;
}

/** The calibration's figures: what each is, and its value. */
export function calibrationFigures(calibration: Calibration): readonly (readonly [string, string])[] {
  const { modules, commands, threadStart, dispatchSeconds, turnaroundSeconds, barrierSeconds, iops, remote } = calibration;
  const seconds = (value: number) => shortTime(value * 1000);
  return [
    ['Wave of n modules on n agents', waveCost(modules)],
    ['Wave of n commands on n agents', waveCost(commands)],
    ['Start of t threads', `${seconds(threadStart.first)} + ${seconds(threadStart.each)} × (t − 1)`],
    ['Least time for each module subtask', seconds(dispatchSeconds.modules)],
    ['Least time for each command', seconds(dispatchSeconds.commands)],
    ...(turnaroundSeconds === undefined
      ? []
      : [
          ['Between two module subtasks of an agent', seconds(turnaroundSeconds.modules)] as const,
          ['Between two commands of an agent', seconds(turnaroundSeconds.commands)] as const,
        ]),
    ['Barrier between two waves', seconds(barrierSeconds)],
    ...(iops === undefined ? [] : [['Small synced writes', `${figure(iops)}/s`] as const]),
    ...(remote === undefined
      ? []
      : [
          ['Wave of n modules on n agents of workers', waveCost(remote)] as const,
          ['Way of a subtask to a worker and back', seconds(remote.turnaroundSeconds)] as const,
          ['Least time for each of many subtasks on workers', seconds(remote.dispatchSeconds)] as const,
        ]),
  ];
}

/** `a + b × n`, with the bounds of b. */
function waveCost({ secondsPerWave, secondsPerAgent, low, high }: WaveCost): string {
  const seconds = (value: number) => shortTime(value * 1000);
  return `${seconds(secondsPerWave)} + ${seconds(secondsPerAgent)} × n (95%: ${seconds(low)} to ${seconds(high)})`;
}

/** What was measured, on what: lines of a name and a text. */
export function benchHeading({ measured, machine, versions }: BenchReport): readonly (readonly [string, string])[] {
  const files = machine.openFiles === undefined ? '' : `, ${figure(machine.openFiles)} open files`;
  const cores = `${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`;
  return [
    ['Measured', `${measured.slice(0, 19).replace('T', ' ')} UTC`],
    [
      'Machine',
      inertLine(`${machine.cpu} (${machine.arch}), ${cores}, ${(machine.memoryBytes / 1e9).toFixed(1)} GB memory${files}`),
    ],
    ['Versions', inertLine(`waveplan ${versions.waveplan}, Node ${versions.node}, V8 ${versions.v8}, ${versions.system}`)],
  ];
}
