import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPlan } from '../../../src/plan/load-plan.js';
import { loadMethodology } from '../../../src/plan/methodology.js';
import { planOf, unmark } from './marked-plan.js';

const folder = mkdtempSync(join(tmpdir(), 'waveplan-files-'));

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('loadPlan', () => {
  it('reads a file, and keeps its text', () => {
    const text = planOf('  t: { run: x }\n');
    const file = write('good.yaml', text);
    const loaded = loadPlan(file);
    expect(loaded.ok && [loaded.value.file, loaded.value.text]).toEqual([file, text]);
  });

  it('names the file as the user did', () => {
    const file = write('bad.yaml', 'version: 1\n');
    expect(loadPlan(file, { displayName: 'plans/bad.yaml' })).toMatchObject({
      ok: false,
      error: [{ file: 'plans/bad.yaml' }, { file: 'plans/bad.yaml' }],
    });
  });

  const refused: readonly (readonly [name: string, content: string | Uint8Array, message: RegExp])[] = [
    ['latin1.yaml', Buffer.from('name: \xe9\n', 'latin1'), /not UTF-8/],
    ['utf16.yaml', Buffer.from('\ufeffname: x\n', 'utf16le'), /not UTF-8/],
    ['large.yaml', Buffer.alloc(11 * 1024 * 1024, '#'), /larger than 10 MiB/],
  ];

  it.each(refused)('refuses %s', (name, content, message) => {
    const loaded = loadPlan(write(name, content));
    expect(loaded.ok).toBe(false);
    if (loaded.ok) return;
    expect(loaded.error.map((one) => [one.code, one.range])).toEqual([['PLAN-FILE', undefined]]);
    expect(loaded.error[0]?.message).toMatch(message);
  });

  it('refuses a folder, a device without end, and a file that is not there', () => {
    write('quick.yaml', '');
    for (const [file, message] of [
      [folder, /folder/],
      ['/dev/zero', /larger/],
      [join(folder, 'quik.yaml'), /no such file/],
      [join(folder, 'good.yaml', 'x'), /cannot be read/],
    ] as const) {
      const loaded = loadPlan(file);
      expect(loaded.ok ? '' : loaded.error[0]?.message).toMatch(message);
      if (file.endsWith('quik.yaml')) expect(loaded.ok ? '' : loaded.error[0]?.hint).toBe("did you mean 'quick.yaml'?");
    }
  });
});

describe('loadMethodology', () => {
  const RULES = {
    overheadSecondsPerAgent: 0.3,
    iops: 10_000,
    connections: 5000,
    computationAgentsPerCore: 4,
    memoryPerAgentBytes: 500_000_000,
    microTask: { belowMinutes: 1, overheadShare: 0.1 },
    longTask: { aboveMinutes: 30 },
    roiBands: { excellent: 100, good: 10, marginal: 2 },
    fitTolerance: 0.02,
    failure: { minor: 0.01, major: 0.1, critical: 0.5, agentsReduction: 0.25 },
  };

  it('has the rules of the methodology built in', () => {
    const loaded = loadMethodology();
    expect(loaded).toMatchObject({ ok: true, value: { ...RULES, source: 'built in' } });
    expect(loaded.ok && loaded.value.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('states every key in the packaged file, so that users can copy it', () => {
    const file = write('copy.yaml', readFileSync(new URL('../../../schemas/methodology.yaml', import.meta.url)));
    const copy = loadMethodology(file);
    const builtIn = loadMethodology();
    expect(copy.ok && builtIn.ok && copy.value.hash === builtIn.value.hash).toBe(true);
  });

  it('takes the keys of a file over the built-in ones', () => {
    const file = write('some.yaml', 'version: 1\niops: 500\nmemoryPerAgent: 1GiB\nfailure: { major: 20% }\n');
    const loaded = loadMethodology(file);
    expect(loaded).toMatchObject({
      ok: true,
      value: { ...RULES, iops: 500, memoryPerAgentBytes: 1_073_741_824, failure: { ...RULES.failure, major: 0.2 }, source: file },
    });
    const builtIn = loadMethodology();
    expect(loaded.ok && builtIn.ok && loaded.value.hash !== builtIn.value.hash).toBe(true);
  });

  it.each([
    ['METHODOLOGY-UNKNOWN-KEY', 'version: 1\n«iop»: 5\n'],
    ['METHODOLOGY-VALUE', 'version: 1\niops: «0»\n'],
    ['METHODOLOGY-TYPE', 'version: 1\nmemoryPerAgent: «5»\n'],
    ['METHODOLOGY-VALUE', 'version: 1\nfailure: { minor: «1x» }\n'],
    ['METHODOLOGY-VALUE', 'version: 1\nfailure: «{ minor: 60% }»\n'],
    ['METHODOLOGY-VALUE', 'version: 1\nroiBands: «{ good: 1 }»\n'],
    ['METHODOLOGY-MISSING-KEY', '«iops»: 5\n'],
    ['METHODOLOGY-YAML', 'version: 1\niops: «"»5\n'],
  ])('%s in %j', (code, marked) => {
    const { text, ranges } = unmark(marked);
    const loaded = loadMethodology(write('wrong.yaml', text));
    expect(loaded.ok ? [] : loaded.error.map((one) => [one.code, one.range])).toEqual([[code, ranges[0]]]);
  });

  it('says that a file is not there', () => {
    const loaded = loadMethodology(join(folder, 'nowhere/m.yaml'));
    expect(loaded.ok ? [] : loaded.error.map((one) => one.code)).toEqual(['METHODOLOGY-FILE']);
  });
});
