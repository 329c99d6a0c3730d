import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { causeOf, withoutNumbers } from '../../../src/model/cause.js';
import type { Failure } from '../../../src/model/failure.js';
import { FailureGroups } from '../../../src/report/failure-groups.js';

describe('a message without its numbers', () => {
  it.each([
    ['exit code 3: bad 12', 'exit code 3: bad N'],
    ['GET http://127.0.0.1:8080/items/7: status 404', 'GET http://N.N.N.N:N/items/N: status 404'],
    ['a.ts(3,4): error TS2322: no', 'a.ts(N,N): error TS2322: no'],
    ['error[E0308]: mismatched types', 'error[E0308]: mismatched types'],
    ['HTTP 503 of host7', 'HTTP 503 of hostN'],
    ['DSC0017.jpg, IMG_0018.jpg', 'DSCN.jpg, IMG_N.jpg'],
  ])('%s', (message, without) => {
    expect(withoutNumbers(message)).toBe(without);
  });
});

describe('groups of failures', () => {
  const failures = fc.record({
    kind: fc.constantFrom('command', 'module', 'action'),
    exitCode: fc.constantFrom(1, 2),
    message: fc.constantFrom('bad 1', 'bad 2', 'bad N', 'other', 'status 404', 'status 500', `${'x'.repeat(298)} 17`),
  } as const);

  it('say what is true of each failure, and keep exit codes and statuses apart', () => {
    fc.assert(
      fc.property(fc.array(failures, { minLength: 1, maxLength: 20 }), (all: readonly Failure[]) => {
        const groups = new FailureGroups();
        all.forEach((failure, i) => {
          groups.add(`t[${i}]`, failure);
        });
        const found = groups.groups();
        expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
        for (const { count, message, subtasks } of found) {
          const members = subtasks.flatMap((name) => all[Number(name.match(/\d+/))] ?? []);
          expect(members).toHaveLength(Math.min(5, count));
          expect(new Set(members.map(({ kind, exitCode }) => `${kind} ${exitCode}`)).size).toBe(1);
          const start = message.replace(/…$/, '');
          for (const member of members) {
            const forms = [member.message, withoutNumbers(member.message)];
            expect(forms.some((form) => (message === start ? form === start : form.startsWith(start)))).toBe(true);
          }
        }
      }),
    );
  });

  it('have one cause only where nothing differs', () => {
    const failure: Failure = { kind: 'command', message: 'exit code 3', exitCode: 3 };
    expect(causeOf(failure)).toBe(causeOf({ ...failure, stack: 'elsewhere' }));
    const others: readonly Failure[] = [
      { ...failure, exitCode: 7 },
      { ...failure, message: 'exit code 3: why' },
      { ...failure, signal: 'SIGTERM' },
      { ...failure, kind: 'module' },
    ];
    for (const other of others) expect(causeOf(other)).not.toBe(causeOf(failure));
  });
});
