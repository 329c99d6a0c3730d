/** One event of a trace, as the Trace Event format has it. */
export interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly s?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** What breaks the rules of the format, so that a viewer would drop or misplace it: nothing in a good trace. */
export function traceProblems(text: string): readonly string[] {
  const trace = JSON.parse(text) as { readonly traceEvents: readonly TraceEvent[] };
  const problems: string[] = [];
  const lastEnd = new Map<number, { readonly end: number; readonly name: string }>();
  const complete = trace.traceEvents.filter(({ ph }) => ph === 'X').sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0));
  for (const { ph, name, pid, tid, ts, dur, s, args } of trace.traceEvents) {
    const at = `${ph} ${name}`;
    if (typeof name !== 'string' || name === '' || !Number.isInteger(pid) || !Number.isInteger(tid))
      problems.push(`${at}: no place`);
    if (ph !== 'M' && !(Number.isInteger(ts) && (ts ?? -1) >= 0)) problems.push(`${at}: ts ${ts}`);
    if (ph === 'X' && !(Number.isInteger(dur) && (dur ?? -1) >= 0)) problems.push(`${at}: dur ${dur}`);
    if (ph === 'i' && !['g', 'p', 't'].includes(s ?? '')) problems.push(`${at}: scope ${s}`);
    if (ph === 'C' && !Object.values(args ?? {}).every((value) => typeof value === 'number'))
      problems.push(`${at}: a counter counts`);
    if (ph === 'M' && !['process_name', 'thread_name', 'thread_sort_index'].includes(name))
      problems.push(`${at}: unknown metadata`);
    if (!['M', 'X', 'C', 'i'].includes(ph)) problems.push(`${at}: unknown phase`);
  }
  for (const { name, tid, ts = 0, dur = 0 } of complete) {
    const before = lastEnd.get(tid);
    if (before !== undefined && ts < before.end) problems.push(`${name} begins before ${before.name} on the same thread ends`);
    lastEnd.set(tid, { end: ts + dur, name });
  }
  return problems;
}
