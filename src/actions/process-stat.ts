import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** What the system says of a process. */
export interface ProcessStat {
  /** Clock ticks from the boot to its start: with the id it names one process and no other. */
  readonly started: string;
  /** It is a zombie: it ended and was not waited for. */
  readonly ended: boolean;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Reads /proc; undefined where there is none, or no such process. */
export async function processOf(pid: number): Promise<ProcessStat | undefined> {
  return parse(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined));
}

/** The same at once: /proc is no disk. */
export function processNow(pid: number): ProcessStat | undefined {
  try {
    return parse(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): ProcessStat | undefined {
  if (text === undefined) return undefined;
  // Field 2, the name in brackets, may hold anything; field 3, the state, follows it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group, session] = fields;
  const started = fields[22 - 3];
  return started === undefined
    ? undefined
    : { started, ended: /^[ZXx]$/.test(state), parent: Number(parent), group: Number(group), session: Number(session) };
}
