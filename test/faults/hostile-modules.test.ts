import { describe, expect } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { waveplan } from '../support/cli.js';
import { fault } from '../support/faults.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

const HEAD = 'version: 1\nname: hostile\nbackup: none\n';

function byName(folder: string): Record<string, Checkpoint> {
  return Object.fromEntries(checkpointsOf(onlyRun(folder)).map((checkpoint) => [checkpoint.task_id, checkpoint]));
}

/** Functions that throw or return what cannot be looked at without code that throws. */
const HOSTILE = `const trap = () => { throw new Error('trap'); };
const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
const withGetter = (target, ...names) => { for (const name of names) Object.defineProperty(target, name, { get: trap }); return target; };
const all = new Proxy({}, new Proxy({}, { get: () => trap }));
export const thrown = [
  () => withGetter(new Error('x'), 'message'),
  () => withGetter(new Error('x'), 'stack'),
  () => withGetter(new Error('x'), 'name', 'message', 'stack', 'constructor', 'code', 'cause'),
  () => Object.assign(new Error('x'), { message: { toString: trap }, name: Symbol('s') }),
  () => ({ toString: trap, toJSON: trap, get [Symbol.toStringTag]() { return trap(); } }),
  () => Object.assign(Object.create(null), { self: 1n }),
  () => all,
  revoked,
  () => new Proxy(new Error('x'), { getPrototypeOf: trap, get: trap }),
];
export const returned = [
  () => withGetter({}, 'then'),
  () => ({ then: trap }),
  () => all,
  revoked,
  () => ({ toJSON: trap }),
  () => withGetter(new Map(), 'constructor'),
  () => withGetter(Promise.resolve(1), 'constructor'),
  () => withGetter(Promise.resolve(1), 'then'),
  () => Object.assign(Promise.resolve(1), { then: () => 'nothing' , constructor: undefined }),
  () => Promise.reject(revoked()),
];
`;

describe('hostile modules', () => {
  for (const agents of ['1', '4'])
    fault(47, `errors and results that throw when looked at are failures (${agents} agents)`, [], async () => {
      const folder = tempFolder();
      writeFiles(folder, {
        'hostile.mjs': `${HOSTILE}
export const throwAtOnce = (n) => { throw thrown[n](); };
export const throwLater = async (n) => { await null; throw thrown[n](); };
export const leave = (n) => new Promise((resolve) => { Promise.reject(thrown[n]()); setTimeout(resolve, 20_000).unref(); });
export const give = (n) => returned[n]();
export const fine = async (n) => n;`,
        'loads.mjs': `${HOSTILE}throw revoked();`,
        'plan.yaml': `${HEAD}defaults: { retries: { max: 0 } }
tasks:
  atOnce: { foreach: [0, 1, 2, 3, 4, 5, 6, 7, 8], uses: ./hostile.mjs#throwAtOnce, with: "\${{ item }}" }
  later: { foreach: [0, 1, 2, 3, 4, 5, 6, 7, 8], uses: ./hostile.mjs#throwLater, with: "\${{ item }}" }
  leave: { foreach: [0, 1, 2, 3, 4, 5, 6, 7, 8], uses: ./hostile.mjs#leave, with: "\${{ item }}" }
  give: { foreach: [0, 1, 2, 3, 4, 5, 6, 7, 9], uses: ./hostile.mjs#give, with: "\${{ item }}" }
  loads: { uses: ./loads.mjs }
  fine: { foreach: [0, 1, 2, 3], uses: ./hostile.mjs#fine, with: "\${{ item }}" }
`,
      });
      const done = await waveplan(['run', 'plan.yaml', '-y', '-k', '-j', agents, '--overhead', '1ms'], { cwd: folder });
      expect(done.code, done.text).toBe(1);
      const found = Object.entries(byName(folder));
      expect(found).toHaveLength(41);
      for (const [name, { status, error }] of found)
        if (name.startsWith('fine')) expect(status).toBe('success');
        else {
          const kinds = name === 'loads' ? ['module-load'] : name.startsWith('give') ? ['output', 'module'] : ['module'];
          expect([name, status, kinds.includes(error?.kind ?? '')]).toEqual([name, 'failure', true]);
        }
    });
});
