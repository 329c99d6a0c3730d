import type { RunEvent } from '../model/run-event.js';
import { inertFirstLine, inertJson, inertLine } from './inert.js';

/** All of a run is one process; its threads are the agents, and one more for the waves. */
const PROCESS = 1;
const WAVES = 0;
/** For subtasks that never reached an agent. */
const COORDINATOR = 1_000_000;

/**
 * A run in the Trace Event format, piece by piece, for Perfetto (https://ui.perfetto.dev) and chrome://tracing: an agent is
 * a thread, a subtask a complete event on it, a wave one above them all; the number of agents is a counter, and retries,
 * decisions and warnings are instants. Times are microseconds from the run's start.
 */
export async function* renderTrace(events: AsyncIterable<RunEvent>): AsyncGenerator<string, void, undefined> {
  let origin: number | undefined;
  const us = (at: number) => {
    const since = Math.round((at - (origin ?? at)) * 1000);
    return Number.isFinite(since) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, since)) : 0;
  };
  const named = new Set<number>();
  const started = new Map<number, { readonly name: string; readonly at: number }>();
  let first = true;
  const piece = (event: TraceEvent): string => {
    const start = first ? '{"displayTimeUnit":"ms","traceEvents":[\n' : ',\n';
    first = false;
    return start + inertJson({ pid: PROCESS, ...event });
  };
  for await (const event of events) {
    origin ??= event.at;
    switch (event.type) {
      case 'run-started':
        yield piece({ ph: 'M', name: 'process_name', tid: WAVES, args: { name: `${inertLine(event.plan)} (run ${event.run})` } });
        yield piece({ ph: 'M', name: 'thread_name', tid: WAVES, args: { name: 'waves' } });
        yield piece({ ph: 'M', name: 'thread_sort_index', tid: WAVES, args: { sort_index: -1 } });
        break;
      case 'backup-made':
        yield piece({ ph: 'X', name: 'wave 0: backup', cat: 'wave', tid: WAVES, ts: 0, dur: us(event.at) });
        break;
      case 'wave-started':
        started.set(event.wave, { name: event.name, at: event.at });
        yield piece({ ph: 'C', name: 'agents', tid: WAVES, ts: us(event.at), args: { agents: event.agents } });
        break;
      case 'agents-changed':
        yield piece({ ph: 'C', name: 'agents', tid: WAVES, ts: us(event.at), args: { agents: event.to } });
        break;
      case 'wave-finished': {
        const wave = started.get(event.wave);
        const ts = us(wave?.at ?? event.at - event.durationMs);
        const { verdict, expected, failed } = event.check;
        const name = `wave ${event.wave}: ${inertLine(wave?.name ?? '')}`;
        yield piece({
          ph: 'X',
          name,
          cat: 'wave',
          tid: WAVES,
          ts,
          dur: Math.max(0, us(event.at) - ts),
          args: { verdict, expected, failed },
        });
        break;
      }
      case 'subtask-finished':
      case 'subtask-cancelled':
      case 'finally-finished': {
        // What was done before the run was resumed lies before the run's start.
        if (event.type === 'subtask-finished' && event.resumed !== undefined) break;
        const { task_id, agent_id, started: from, duration_ms, attempt, status, error, wave } = event.checkpoint;
        const agent = Number(/^agent_(\d{1,6})$/.exec(agent_id)?.[1] ?? COORDINATOR);
        if (!named.has(agent)) {
          named.add(agent);
          yield piece({ ph: 'M', name: 'thread_name', tid: agent, args: { name: inertLine(agent_id) } });
          yield piece({ ph: 'M', name: 'thread_sort_index', tid: agent, args: { sort_index: agent } });
        }
        // Both ends are rounded alike, so that neighbours on an agent touch and never overlap.
        const ts = us(from);
        const dur = Math.max(0, us(from + Math.max(0, duration_ms)) - ts);
        const failure = error === undefined ? {} : { failure: inertFirstLine(error.message, 300), kind: error.kind };
        const args = { task: event.task, wave, attempt, status, ...failure };
        yield piece({
          ph: 'X',
          name: inertLine(task_id) || 'subtask',
          cat: event.type === 'finally-finished' ? 'finally' : 'subtask',
          tid: agent,
          ts,
          dur,
          args,
        });
        break;
      }
      case 'subtask-retried': {
        const args = { attempt: event.attempt, delayMs: event.delayMs, failure: inertFirstLine(event.failure.message, 300) };
        yield piece({
          ph: 'i',
          s: 'p',
          name: `retry ${inertLine(event.subtask)}`,
          cat: 'retry',
          tid: WAVES,
          ts: us(event.at),
          args,
        });
        break;
      }
      case 'decision-taken': {
        const { agents, reason } = event.decision.decided;
        const args = { wave: event.wave, agents, reason: inertLine(reason) };
        yield piece({ ph: 'i', s: 'p', name: 'scaling decision', cat: 'decision', tid: WAVES, ts: us(event.at), args });
        break;
      }
      case 'warning':
        // A viewer drops an instant without a name.
        yield piece({
          ph: 'i',
          s: 'g',
          name: inertFirstLine(event.message, 300) || 'warning',
          cat: 'warning',
          tid: WAVES,
          ts: us(event.at),
        });
        break;
      default:
        break;
    }
  }
  yield first ? '{"displayTimeUnit":"ms","traceEvents":[]}\n' : '\n]}\n';
}

/** One event of the format: metadata, complete, counter or instant. */
interface TraceEvent {
  readonly ph: 'M' | 'X' | 'C' | 'i';
  readonly name: string;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly s?: 'g' | 'p';
  readonly args?: object;
}
