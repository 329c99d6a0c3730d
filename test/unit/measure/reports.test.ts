import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/measure/bench-report.js';
import { spreadOf } from '../../../src/model/statistics.js';
import { shortTime } from '../../../src/report/bench-figures.js';
import { renderBenchMarkdown } from '../../../src/report/bench-markdown.js';
import { progressBar, progressLine, renderBench } from '../../../src/report/bench-text.js';
import { calibration } from './calibrations.js';

const samples = [1, 2, 3, 4, 100];
const row = { id: 'barrier', name: 'barrier | of a wave', ...spreadOf(samples), samples };
const report: BenchReport = {
  version: 1,
  measured: '2026-03-01T12:00:00.000Z',
  durationMs: 1000,
  machine: { cpu: 'Example\u001b[31m 9000', arch: 'x64', cores: 1, memoryBytes: 16e9, openFiles: 1024 },
  versions: { waveplan: '0.1.0', node: 'v20.20.0', v8: '11.3', uv: '1.46', system: 'linux 6' },
  rows: [row],
  calibration: calibration(),
};

it.each([
  [0, '0 ms'],
  [0.00085, '850 ns'],
  [0.04123, '41.2 µs'],
  [1.2, '1.2 ms'],
  [2500, '2.5 s'],
  [Number.NaN, 'not known'],
])('shortTime(%f) is %s', (ms, text) => expect(shortTime(ms)).toBe(text));

describe.each([
  ['terminal', renderBench],
  ['Markdown', renderBenchMarkdown],
])('the report for %s', (_, render) => {
  const text = render(report);

  it('names machine, versions and time', () => {
    for (const part of ['Example 9000', '1 core,', '16.0 GB', '1,024 open files', 'Node v20.20.0', '2026-03-01 12:00:00 UTC']) {
      expect(text).toContain(part);
    }
  });

  it('has each measurement with its spread, and the figures of the calibration with their bounds', () => {
    for (const part of ['3 ms', '1.2 ms', '80.8 ms', '500 µs + 1.8 ms × n (95%: 1.7 ms to 1.9 ms)', '4,700/s', '25 ms + 14 ms']) {
      expect(text).toContain(part);
    }
  });

  it('is inert', () => expect(text).not.toContain('\u001b'));
});

it('Markdown keeps a bar in a name out of its table', () => {
  expect(renderBenchMarkdown(report)).toContain('| barrier \\| of a wave | 3 ms |');
});

it('leaves out figures that were not measured', () => {
  const { iops: _, turnaroundSeconds: __, ...rest } = calibration();
  const text = renderBench({ ...report, calibration: rest });
  expect(text).not.toContain('writes');
  expect(text).not.toContain('undefined');
});

describe('progress', () => {
  it('fills its bar', () => {
    expect(progressBar({ done: 0, total: 4, row: undefined })).toBe(`[${' '.repeat(20)}] 0/4`);
    expect(progressBar({ done: 3, total: 4, row })).toBe(`[${'█'.repeat(15)}     ] 3/4 barrier | of a wave: 3 ms`);
  });

  it('is a line for each measurement without a terminal', () => {
    expect(progressLine({ done: 0, total: 4, row: undefined })).toBeUndefined();
    expect(progressLine({ done: 3, total: 4, row })).toBe('3/4 barrier | of a wave: 3 ms');
  });
});
