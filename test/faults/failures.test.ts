import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { FailureAssessment } from '../../src/model/failure-assessment.js';
import { waveplan } from '../support/cli.js';
import { fault, linesOf } from '../support/faults.js';
import { onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: failing\nbackup: none\n';

/** A module whose items say whether, how often and with which words they fail. */
const MODULE = `import { appendFileSync } from 'node:fs';
export default ({ name, fails, says }, { attempt }) => {
  appendFileSync('ran', name + ' ' + attempt + '\\n');
  if (attempt <= (fails ?? 0)) throw new Error(says ?? 'lost ' + name + ' in attempt ' + attempt);
  return name;
};`;

interface Item {
  readonly name: string;
  readonly fails?: number;
  readonly says?: string;
}

interface Case {
  readonly items: readonly Item[];
  readonly args?: readonly string[];
  readonly head?: string;
}

async function run({ items, args = [], head = '' }: Case) {
  const folder = tempFolder();
  const list = items.map((item) => JSON.stringify({ ...item, path: item.name })).join(', ');
  writeFiles(folder, {
    'work.mjs': MODULE,
    'plan.yaml': `${HEAD}${head}tasks:
  many: { foreach: [${list}], uses: ./work.mjs, with: "\${{ item }}" }
  after: { needs: [many], run: echo after >> after }
`,
  });
  const done = await waveplan(['run', 'plan.yaml', '-y', '-q', '-j', '8', '--overhead', '1ms', ...args], { cwd: folder });
  const report = JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8'));
  return {
    code: done.code,
    stderr: done.stderr,
    folder,
    assessments: report.assessments as readonly FailureAssessment[],
    ran: linesOf(join(folder, 'ran')),
    after: linesOf(join(folder, 'after')).length,
  };
}

/** `count` items of which a share, strewn all over, fails so many times. */
function strewn(count: number, failing: number, fails: number): readonly Item[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `d${i % 7}/n${i}`,
    ...((i * 7919) % count < failing && { fails }),
  }));
}

describe('shares of failures', () => {
  fault(19, '0.5% at random: the failed are retried on as many agents, and the run is done', [], async () => {
    const found = await run({ items: strewn(200, 1, 1) });
    expect(found.assessments).toMatchObject([
      { level: 'minor', failed: 1, diagnosis: { kind: 'random' }, response: { kind: 'retry', agents: 8 }, retried: 1 },
    ]);
    expect([found.code, found.ran.length, found.after]).toEqual([0, 201, 1]);
  });

  fault(19, '5% at random: a quarter fewer agents, and the failed are retried', [], async () => {
    const found = await run({ items: strewn(200, 10, 1) });
    expect(found.assessments).toMatchObject([
      {
        level: 'moderate',
        failed: 10,
        diagnosis: { kind: 'random', causes: 10 },
        response: { kind: 'reduce', agents: 6 },
        retried: 10,
      },
    ]);
    expect([found.code, found.ran.length, found.after]).toEqual([0, 210, 1]);
  });

  fault(19, '20% at random: one after another, or a stop, as the plan says', [], async () => {
    const sequential = await run({ items: strewn(100, 20, 1) });
    expect(sequential.assessments).toMatchObject([
      { level: 'major', failed: 20, diagnosis: { kind: 'random' }, response: { kind: 'sequential', agents: 1 }, retried: 20 },
    ]);
    expect([sequential.code, sequential.ran.length, sequential.after]).toEqual([0, 120, 1]);
    const stop = await run({ items: strewn(100, 20, 1), head: 'failure: { onMajor: abort }\n' });
    expect(stop.assessments).toMatchObject([{ level: 'major', response: { kind: 'stop' }, retried: 0 }]);
    expect([stop.code, stop.ran.length, stop.after]).toEqual([1, 100, 0]);
    expect(stop.stderr).toContain('20 of 100 failed, more than 10%');
  });

  fault(19, '60% at random: the run stops and reports; --keep-going goes on, --fail-fast ends at the first', [], async () => {
    const stop = await run({ items: strewn(100, 60, 1) });
    expect(stop.assessments).toMatchObject([{ level: 'critical', failed: 60, response: { kind: 'stop' } }]);
    expect([stop.code, stop.ran.length, stop.after]).toEqual([1, 100, 0]);
    const going = await run({ items: strewn(100, 60, 1), args: ['--keep-going'] });
    expect(going.assessments).toMatchObject([{ level: 'critical', response: { kind: 'sequential' }, retried: 60 }]);
    expect([going.code, going.ran.length, going.after]).toEqual([0, 160, 1]);
    const fast = await run({ items: strewn(100, 60, 1), args: ['--fail-fast'] });
    expect([fast.code, fast.after]).toEqual([1, 0]);
    expect(fast.ran.length).toBeLessThan(100);
    expect(fast.stderr).toMatch(/many\[\d+\] failed: Error: lost/);
  });

  fault(19, 'one cause: systematic, not retried, with the evidence in the report', [], async () => {
    const items = strewn(100, 5, 99).map((item) => ({ ...item, says: 'no such table: users' }));
    const found = await run({ items });
    expect(found.assessments).toMatchObject([
      {
        level: 'moderate',
        diagnosis: { kind: 'systematic', evidence: { kind: 'same-cause', message: 'Error: no such table: users', count: 5 } },
        response: { kind: 'accept' },
        retried: 0,
      },
    ]);
    // Within 10%: what needs the fan-out runs, and the run fails all the same.
    expect([found.code, found.ran.length, found.after]).toEqual([1, 100, 1]);
    expect(readFileSync(join(onlyRun(found.folder), 'report.md'), 'utf8')).toContain(
      "systematic: all 5 say 'Error: no such table: users'",
    );
  });

  fault(19, 'one folder: regional, set apart, the rest retried, and the run goes on', [], async () => {
    const items = Array.from({ length: 100 }, (_, i) => {
      if (i < 20) return { name: `data/bad/${i}`, fails: 99, says: 'cannot be read' };
      return { name: `data/good${i % 4}/${i}`, ...(i === 50 && { fails: 1 }) };
    });
    const found = await run({ items });
    expect(found.assessments).toMatchObject([
      {
        level: 'major',
        failed: 21,
        diagnosis: { kind: 'regional', region: { kind: 'folder', name: 'data/bad' }, inside: 20, outside: 1, subtasks: 20 },
        response: { kind: 'reduce' },
        retried: 1,
      },
    ]);
    expect([found.code, found.ran.length]).toEqual([1, 101]);
    expect(readFileSync(join(onlyRun(found.folder), 'report.md'), 'utf8')).toContain(
      'regional: 20 of the 21 are among the 20 of folder data/bad',
    );
    const report = JSON.parse(readFileSync(join(onlyRun(found.folder), 'report.json'), 'utf8'));
    expect(report.waves[0].check).toMatchObject({ verdict: 'READY', failed: 20 });
  });

  fault(
    19,
    'what fails again in the same way is not retried for ever, and what may not be repeated is not at all',
    [],
    async () => {
      const again = await run({ items: strewn(100, 3, 99).map((item, i) => ({ ...item, says: `always ${i}` })) });
      expect(again.assessments).toMatchObject([
        { pass: 1, diagnosis: { kind: 'random' }, retried: 3 },
        { pass: 2, diagnosis: { kind: 'systematic', evidence: { kind: 'repeated', count: 3 } }, retried: 0 },
      ]);
      expect([again.code, again.ran.length]).toEqual([1, 103]);
      const never = await run({ items: strewn(100, 3, 1), head: 'defaults: { retries: { max: 0 } }\n' });
      expect([never.code, never.ran.length]).toEqual([1, 100]);
    },
  );
});
