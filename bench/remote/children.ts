import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();
let watching = false;

/** Sees that a process does not outlive this one, however this one ends, as long as it can still do something about it. */
export function endsWithThis(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
  if (watching) return;
  watching = true;
  process.once('exit', () => {
    for (const left of children) left.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The exit above is what ends them, and networks too.
    process.once(signal, () => process.exit(130));
  }
}
