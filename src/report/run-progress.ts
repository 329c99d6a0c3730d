import { subtaskId } from '../model/ids.js';
import type { RunEvent } from '../model/run-event.js';
import { AgentsAtWork } from './agents-at-work.js';
import type { LiveMoment, WaveMoment } from './live-frame.js';
import { TaskSizes, WaveProgress } from './wave-progress.js';

/** Below this, nothing is called slow. */
const SLOW_MS = 1000;
const MOST_SLOW = 3;

/** What an agent has in hand: a subtask, or several of which it does the first. */
interface InHand {
  readonly task: string;
  /** Of a subtask that was started by name. */
  readonly subtask: string | undefined;
  /** Index of the one that it does now. */
  at: number;
  left: number;
  since: number;
}

/** Counts a run as it goes, for whoever watches. Its size follows waves and agents, not subtasks. */
export class RunProgress {
  readonly #sizes = new TaskSizes();
  readonly #agents = new AgentsAtWork();
  readonly #inHand = new Map<string, InHand>();
  readonly #names = new Map<number, string>();
  readonly #open = new Map<number, WaveProgress>();
  readonly #over = new Map<number, WaveMoment>();
  readonly #planned = new Map<number, number>();
  readonly #predictedMs = new Map<number, number>();
  readonly #started: number;

  constructor(now: number) {
    this.#started = now;
  }

  /** The wave, while it runs. */
  wave(number: number): WaveProgress | undefined {
    return this.#open.get(number);
  }

  /** The waves that run, in order. */
  get running(): readonly WaveProgress[] {
    return [...this.#open].sort(([a], [b]) => a - b).map(([, wave]) => wave);
  }

  /** Takes the next event; `now` is the time of the view's own clock. */
  add(event: RunEvent, now: number): void {
    switch (event.type) {
      case 'run-started':
        for (const wave of event.waves) {
          this.#names.set(wave.number, wave.name);
          for (const task of wave.tasks) this.#sizes.set(wave.number, task.id, task.subtasks ?? 0);
        }
        return;
      case 'wave-started': {
        const wave = new WaveProgress(event.wave, event.subtasks, now);
        wave.knows(this.#sizes.inWave(event.wave));
        this.#names.set(event.wave, event.name);
        this.#open.set(event.wave, wave);
        this.#planned.set(event.wave, event.agents);
        if (event.predictedSeconds !== undefined) this.#predictedMs.set(event.wave, event.predictedSeconds * 1000);
        return;
      }
      case 'agents-changed':
        this.#planned.set(event.wave, event.to);
        return;
      case 'task-expanded':
        this.#sizes.set(event.wave, event.task, event.subtasks);
        this.#open.get(event.wave)?.knows(this.#sizes.inWave(event.wave));
        return;
      case 'subtask-started':
        this.#agents.started(event.agent);
        this.#open.get(event.wave)?.started();
        this.#inHand.set(event.agent, { task: event.task, subtask: event.subtask, at: 0, left: 1, since: now });
        return;
      case 'subtasks-started':
        this.#agents.started(event.agent, event.count);
        this.#open.get(event.wave)?.started(event.count);
        this.#inHand.set(event.agent, { task: event.task, subtask: undefined, at: event.first, left: event.count, since: now });
        return;
      case 'subtasks-returned':
        this.#agents.ended(event.agent, event.count);
        this.#open.get(event.wave)?.returned(event.count);
        this.#step(event.agent, event.count, now);
        return;
      case 'subtasks-finished':
        this.#agents.ended(event.agent, event.count);
        this.#open.get(event.wave)?.finished(true, event.count);
        this.#step(event.agent, event.count, now);
        return;
      case 'subtasks-up-to-date':
        this.#open.get(event.wave)?.finished(true, event.count, false);
        return;
      case 'attempt-failed':
        this.#agents.ended(event.agent);
        this.#open.get(event.wave)?.returned(1);
        this.#step(event.agent, 1, now);
        return;
      case 'subtask-retried':
        this.#open.get(event.wave)?.retried(event.late !== true);
        if (event.late === true) return;
        this.#agents.ended(event.agent);
        this.#step(event.agent, 1, now);
        return;
      case 'subtask-finished': {
        const { agent_id, status, wave } = event.checkpoint;
        // Of what is told late, or was finished by an earlier part of the run, no agent knows.
        const began = event.late !== true && event.resumed === undefined && agent_id.startsWith('agent_');
        this.#open.get(wave)?.finished(status === 'success', 1, began);
        if (!began) return;
        this.#agents.ended(agent_id);
        this.#step(agent_id, 1, now);
        return;
      }
      case 'subtask-cancelled':
        this.#agents.ended(event.checkpoint.agent_id);
        this.#step(event.checkpoint.agent_id, 1, now);
        return;
      case 'subtask-skipped':
        this.#agents.ended(event.agent);
        this.#open.get(event.wave)?.skipped(event.agent !== undefined);
        if (event.agent !== undefined) this.#step(event.agent, 1, now);
        return;
      case 'wave-finished': {
        const wave = this.#open.get(event.wave);
        if (wave !== undefined) this.#over.set(event.wave, this.#moment(event.wave, 'over', wave));
        this.#open.delete(event.wave);
        return;
      }
      case 'run-finished':
        this.#open.clear();
        return;
      default:
        return;
    }
  }

  /** All of it, at this moment. */
  at(now: number): LiveMoment {
    const running = this.running;
    const numbers = [...this.#names.keys()].sort((a, b) => a - b);
    const done = running.reduce((sum, wave) => sum + wave.done, 0);
    const since = Math.min(now, ...running.map((wave) => wave.startedAt));
    const lefts = running.map((wave) => wave.left(now, this.#predictedMs.get(wave.wave)));
    return {
      waves: numbers.map((number) => {
        const open = this.#open.get(number);
        return this.#over.get(number) ?? this.#moment(number, open === undefined ? 'waiting' : 'running', open);
      }),
      rate: done === 0 || now <= since ? undefined : (done * 1000) / (now - since),
      agents: { now: this.#agents.now, planned: Math.max(0, ...running.map(({ wave }) => this.#planned.get(wave) ?? 0)) },
      leftMs: lefts.some((left) => left === undefined) ? undefined : Math.max(0, ...lefts.map((left) => left ?? 0)),
      elapsedMs: Math.max(0, now - this.#started),
      slowest: [...this.#inHand.values()]
        .filter(({ since: from }) => now - from >= SLOW_MS)
        .sort((a, b) => a.since - b.since)
        .slice(0, MOST_SLOW)
        .map(({ task, subtask, at, since: from }) => ({ name: subtask ?? subtaskId(task, at), forMs: now - from })),
    };
  }

  #step(agent: string, subtasks: number, now: number): void {
    const inHand = this.#inHand.get(agent);
    if (inHand === undefined) return;
    inHand.left -= subtasks;
    inHand.at += subtasks;
    inHand.since = now;
    if (inHand.left <= 0) this.#inHand.delete(agent);
  }

  #moment(number: number, state: WaveMoment['state'], wave: WaveProgress | undefined): WaveMoment {
    return {
      number,
      name: this.#names.get(number) ?? '',
      state,
      done: wave?.done ?? 0,
      failed: wave?.failed ?? 0,
      skipped: wave?.skippedCount ?? 0,
      retried: wave?.retries ?? 0,
      total: wave?.total ?? this.#sizes.inWave(number),
    };
  }
}
