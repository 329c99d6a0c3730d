import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';

/** A block of tests that need a program; where it is missing they are skipped, and that is said loudly. */
export function describeWith(program: string): typeof describe | typeof describe.skip {
  if (spawnSync('sh', ['-c', `command -v ${program}`]).status === 0) return describe;
  process.stderr.write(
    `\n*** SKIPPED: ${program} is not installed (apt-get install ${program}): what needs it is not tested ***\n\n`,
  );
  return describe.skip;
}
