import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** When a process that starts git gets a signal. */
export interface Moment {
  /** The number of its git command, from 1, among all of them or among those with `verb`. */
  readonly call: number;
  readonly verb?: string;
  readonly when: 'before' | 'after';
  readonly signal: 'KILL' | 'INT';
}

/** The environment with a git that runs a shell command, in which `$git` is the real git, before its first call with `verb`. */
export function gitThatRuns(folder: string, verb: string, command: string): Record<string, string> {
  return writeGit(folder, { call: 1, verb, when: 'before' }, `${command}\nexec "$git" "$@"`);
}

/** The environment with a git that sends the signal to the process that started it. It goes with the signal, as on Ctrl-C. */
export function gitThatSignals(folder: string, { signal, ...moment }: Moment): Record<string, string> {
  return writeGit(folder, moment, `kill -${signal} $PPID\nkill -${signal} $$`);
}

function writeGit(folder: string, { call, verb = '', when }: Omit<Moment, 'signal'>, action: string): Record<string, string> {
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const file = join(folder, 'git');
  writeFileSync(
    file,
    `#!/bin/sh
git='${real}'
hit=
for word in "$@"; do [ "$word" = '${verb}' ] && hit=1; done
if [ -n '${verb}' ] && [ -z "$hit" ]; then exec "$git" "$@"; fi
echo >> '${folder}/calls'
if [ "$(wc -l < '${folder}/calls')" -ne ${call} ]; then exec "$git" "$@"; fi
if [ ${when} = after ]; then "$git" "$@"; fi
${action}
`,
  );
  chmodSync(file, 0o755);
  return { PATH: `${folder}:${process.env['PATH']}` };
}
