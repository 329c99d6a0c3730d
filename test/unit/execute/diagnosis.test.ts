import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assessPass, type EndedPass, MOST_PASSES } from '../../../src/execute/assess-pass.js';
import { type DiagnosedTask, diagnose, type FailedSubtask } from '../../../src/execute/diagnosis.js';
import type { FailureRules } from '../../../src/execute/failure-policy.js';
import { regionsOf } from '../../../src/execute/regions.js';
import type { Failure } from '../../../src/model/failure.js';
import type { JsonValue } from '../../../src/model/json.js';

const RULES: FailureRules = { minor: 0.01, major: 0.1, critical: 0.5, agentsReduction: 0.25, onMajor: 'sequential' };

function over(items: readonly JsonValue[], id = 'many', pool?: string): DiagnosedTask {
  return { id, subtasks: items.length, pool, itemAt: (i) => items[i] ?? null };
}

function exit(code: number, line?: string): Failure {
  return { kind: 'command', exitCode: code, message: line === undefined ? `exit code ${code}` : `exit code ${code}: ${line}` };
}

function failed(item: JsonValue, failure: Failure, before?: Failure, position = 0): FailedSubtask {
  return { position, item, failure, before };
}

const numbers = Array.from({ length: 100 }, (_, i) => i);
const files = Array.from({ length: 100 }, (_, i) => `data/${i < 20 ? 'bad' : `good${i % 4}`}/${i}.txt`);

describe('the diagnosis', () => {
  it('is none where nothing failed', () => {
    expect(diagnose([], [over(numbers)])).toBeUndefined();
  });

  it('is systematic where all failed with the same code and message', () => {
    const all = numbers.slice(0, 5).map((n) => failed(n, exit(3, 'no such table: users')));
    expect(diagnose(all, [over(numbers)])).toEqual({
      kind: 'systematic',
      evidence: { kind: 'same-cause', failure: 'command', exitCode: 3, message: 'exit code 3: no such table: users', count: 5 },
    });
  });

  it('is random where only the bare exit code is the same, or the messages differ, or there are too few', () => {
    const tasks = [over(numbers)];
    expect(
      diagnose(
        numbers.slice(0, 5).map((n) => failed(n, exit(1))),
        tasks,
      )?.kind,
    ).toBe('random');
    expect(
      diagnose(
        numbers.slice(0, 5).map((n) => failed(n, exit(1, `lost ${n}`))),
        tasks,
      ),
    ).toEqual({
      kind: 'random',
      causes: 5,
      count: 5,
    });
    expect(
      diagnose(
        numbers.slice(0, 2).map((n) => failed(n, exit(1, 'same'))),
        tasks,
      )?.kind,
    ).toBe('random');
  });

  it('does not take the same time-out again and again for one cause', () => {
    const slow = numbers.slice(0, 9).map((n) => failed(n, { kind: 'timeout', message: 'timed out after 50 ms' }));
    expect(diagnose(slow, [over(numbers)])?.kind).toBe('random');
  });

  it('is systematic where every subtask of one task failed, whatever the messages', () => {
    const tasks = [over(numbers, 'fine'), over([1, 2, 3], 'broken')];
    const all = [1, 2, 3].map((n) => failed(n, exit(n, `${n}`), undefined, 1));
    expect(diagnose(all, tasks)).toEqual({ kind: 'systematic', evidence: { kind: 'whole-task', task: 'broken', count: 3 } });
  });

  it('is systematic where the failed end again as in the pass before', () => {
    const again = [1, 2].map((n) => failed(n, exit(n), exit(n)));
    expect(diagnose(again, [over(numbers)])).toEqual({ kind: 'systematic', evidence: { kind: 'repeated', count: 2 } });
    expect(diagnose([failed(1, exit(1), exit(2)), failed(2, exit(2), exit(2))], [over(numbers)])?.kind).toBe('random');
  });

  it('is regional where one folder holds most, even with one message', () => {
    const bad = files.slice(0, 19).map((file) => failed(file, exit(1, 'permission denied')));
    expect(diagnose([...bad, failed(files[50] ?? '', exit(2))], [over(files)])).toEqual({
      kind: 'regional',
      region: { kind: 'folder', name: 'data/bad' },
      inside: 19,
      outside: 1,
      subtasks: 20,
    });
  });

  it('is not regional where the region holds most of the work too', () => {
    const all = numbers.map((n) => `all/${n}`);
    expect(
      diagnose(
        all.slice(0, 9).map((file) => failed(file, exit(1, file))),
        [over(all)],
      )?.kind,
    ).toBe('random');
  });

  it('is not regional where chance alone may have gathered a few', () => {
    const some = [20, 24, 28, 33].map((i) => failed(files[i] ?? '', exit(1, `${i}`)));
    expect(diagnose(some, [over(files)])?.kind).toBe('random');
  });

  it('knows hosts by addresses in items, and pools by their tasks', () => {
    const pages = numbers.map((n) => ({ url: `https://user:pw@${n < 10 ? 'Down' : `up${n % 9}`}.example:8080/page/${n}?q=1` }));
    expect(
      diagnose(
        pages.slice(0, 10).map((page, n) => failed(page, exit(n))),
        [over(pages)],
      ),
    ).toMatchObject({
      region: { kind: 'host', name: 'down.example:8080' },
    });
    const tasks = [over(numbers, 'a'), over(numbers, 'b', 'db')];
    expect(
      diagnose(
        numbers.slice(0, 12).map((n) => failed(n, exit(n), undefined, 1)),
        tasks,
      ),
    ).toMatchObject({
      region: { kind: 'pool', name: 'db' },
      subtasks: 100,
    });
  });

  it('names regions of texts, objects and batches, and none of anything else', () => {
    const names = (item: JsonValue) => regionsOf(item).map(({ kind, name }) => `${kind} ${name}`);
    expect(names('a/b/c.txt')).toEqual(['folder a', 'folder a/b']);
    expect(names('/etc/x')).toEqual(['folder /etc']);
    expect(names('./x')).toEqual([]);
    expect(names({ file: 'a/b.txt', n: 1 })).toEqual(['folder a']);
    expect(names({ host: 'db1' })).toEqual(['host db1']);
    expect(names(['a/b/1', 'a/c/2'])).toEqual(['folder a']);
    expect(names(['a/1', 7])).toEqual([]);
    for (const item of [7, null, true, 'plain', [], {}, { url: 5 }]) expect(names(item)).toEqual([]);
  });

  it('finds the evidence that it names in the failures', () => {
    const failures = fc.constantFrom<Failure>(exit(1), exit(1, 'a'), exit(2, 'b'), { kind: 'timeout', message: 'late' });
    fc.assert(
      fc.property(fc.subarray(files, { minLength: 1 }), fc.array(failures, { minLength: 1 }), (some, kinds) => {
        const all = some.map((file, i) => failed(file, kinds[i % kinds.length] ?? exit(1)));
        const found = diagnose(all, [over(files)]);
        switch (found?.kind) {
          case 'systematic':
            expect(found.evidence.count).toBe(all.length);
            break;
          case 'regional':
            expect(found.inside + found.outside).toBe(all.length);
            expect(all.filter(({ item }) => String(item).startsWith(`${found.region.name}/`))).toHaveLength(found.inside);
            expect(found.inside).toBeLessThanOrEqual(found.subtasks);
            break;
          case 'random':
            expect(found.count).toBe(all.length);
            break;
          default:
            throw new Error('no diagnosis');
        }
      }),
    );
  });
});

describe('the verdict on a pass', () => {
  const pass = (ended: Partial<EndedPass>) =>
    assessPass(
      {
        wave: 1,
        pass: 1,
        agents: 8,
        tasks: [over(files)],
        failed: [],
        stayed: 0,
        mayRepeat: () => true,
        isolated: { subtasks: 0, failed: 0 },
        keepGoing: false,
        ...ended,
      },
      RULES,
    );
  const scattered = (count: number) => files.filter((_, i) => (i * 37) % 100 < count).map((file) => failed(file, exit(1, file)));

  it('retries what failed at random, on fewer agents from the second bound on', () => {
    expect(pass({ failed: scattered(1) })?.assessment).toMatchObject({
      level: 'minor',
      response: { kind: 'retry', agents: 8 },
      retried: 1,
    });
    expect(pass({ failed: scattered(5) })?.assessment).toMatchObject({
      level: 'moderate',
      response: { kind: 'reduce', agents: 6 },
      retried: 5,
    });
    expect(pass({ failed: scattered(20) })?.assessment).toMatchObject({
      level: 'major',
      response: { kind: 'sequential' },
      retried: 20,
    });
    expect(pass({ failed: files.slice(20, 80).map((file) => failed(file, exit(1, file))) })?.assessment).toMatchObject({
      level: 'critical',
      response: { kind: 'stop' },
      retried: 0,
    });
  });

  it('does not retry one cause, nor what may not be repeated, nor for ever', () => {
    const alike = numbers.slice(0, 5).map((n) => failed(n, exit(2, 'no config')));
    expect(pass({ tasks: [over(numbers)], failed: alike })?.assessment).toMatchObject({
      response: { kind: 'accept' },
      retried: 0,
    });
    expect(pass({ failed: scattered(5), mayRepeat: () => false })?.assessment).toMatchObject({ response: { kind: 'accept' } });
    expect(pass({ failed: scattered(5), pass: MOST_PASSES })?.assessment).toMatchObject({ response: { kind: 'accept' } });
  });

  it('sets a region apart and answers for the rest', () => {
    const bad = files.slice(0, 20).map((file) => failed(file, exit(1, 'denied')));
    const other = failed(files[50] ?? '', exit(9));
    const verdict = pass({ failed: [...bad, other] });
    expect(verdict?.assessment).toMatchObject({ level: 'major', response: { kind: 'reduce', agents: 6 }, retried: 1 });
    expect(verdict?.isolated).toEqual({ subtasks: 20, failed: 20 });
    expect(verdict?.runsAgain(other)).toBe(true);
    expect(bad.some((one) => verdict?.runsAgain(one))).toBe(false);
    const next = pass({
      pass: 2,
      failed: [failed(other.item ?? null, exit(9), exit(9))],
      isolated: { subtasks: 20, failed: 20 },
    });
    expect(next?.assessment).toMatchObject({ diagnosis: { kind: 'systematic' }, failed: 21, response: { kind: 'accept' } });
  });

  it('stops for no threshold where the user wants to keep going', () => {
    const most = files.slice(20, 80).map((file) => failed(file, exit(1, file)));
    expect(pass({ failed: most, keepGoing: true })?.assessment).toMatchObject({ response: { kind: 'sequential' }, retried: 60 });
  });
});
