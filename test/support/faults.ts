import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'vitest';
import { hasNodeVersions } from './node-versions.js';

/** What a fault needs of the machine, with what provides it. */
const NEEDS = {
  strace: { works: () => succeeds('strace', ['-o', '/dev/null', 'true']), from: 'strace' },
  prlimit: { works: () => succeeds('prlimit', ['--nofile=100', 'true']), from: 'util-linux' },
  /** A file system of one's own: a namespace in which one may mount. */
  mounts: {
    works: () => succeeds('unshare', ['-Urm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']),
    from: 'util-linux, and unprivileged user namespaces or root',
  },
  /** Another user, whose processes are counted. */
  otherUser: {
    works: () => succeeds('setpriv', ['--reuid=54321', '--regid=54321', '--clear-groups', 'true']),
    from: 'util-linux, and root',
  },
  /** Other releases of Node. */
  nodeVersions: { works: hasNodeVersions, from: 'npm run node-versions' },
  proc: { works: () => existsSync('/proc/self/environ'), from: 'Linux' },
} as const;

type Need = keyof typeof NEEDS;

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** A test of a fault by its number in the list of faults; skipped, aloud, where the machine cannot bring the fault about. */
export function fault(
  number: number,
  title: string,
  needs: readonly Need[],
  body: () => Promise<void>,
  timeoutMs?: number,
): void {
  const missing = needs.filter((need) => !NEEDS[need].works());
  if (missing.length === 0) {
    test(`fault ${number}: ${title}`, body, timeoutMs);
    return;
  }
  const from = missing.map((need) => `${need} (${NEEDS[need].from})`).join(', ');
  process.stderr.write(`SKIPPED fault ${number}: ${title}: this machine lacks ${from}\n`);
  test.skip(`fault ${number}: ${title} [needs ${from}]`, body);
}

export * from './processes.js';
