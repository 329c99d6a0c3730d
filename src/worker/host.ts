import type { MessagePort } from 'node:worker_threads';
import type { SubtaskRequest } from '../actions/action.js';
import { perform, unreadable } from '../actions/perform.js';
import { leftoversEnded } from '../actions/process-group.js';
import { captureConsole, catchStrays, SubtaskLog } from '../actions/subtask-log.js';
import { timeOn } from '../model/clock.js';
import type { JsonValue } from '../model/json.js';
import { unreachable } from '../model/result.js';
import type { FromHost, HostStart, ToHost } from './protocol.js';

/** The Piscina task of a thread: hosts subtasks until it is told to end. */
export default function host(start: HostStart): Promise<void> {
  captureConsole('drop');
  catchStrays((message) => start.port.postMessage({ type: 'stray', message } satisfies FromHost));
  return new Promise((resolve) => {
    const session = new HostSession(start, resolve);
    session.open();
  });
}

class HostSession {
  readonly #port: MessagePort;
  readonly #start: HostStart;
  readonly #ended: () => void;
  readonly #cancels = new Map<number, AbortController>();
  readonly #asks = new Map<number, (answer: Extract<ToHost, { type: 'answer' }>) => void>();
  #nextAsk = 0;

  constructor(start: HostStart, ended: () => void) {
    this.#port = start.port;
    this.#start = start;
    this.#ended = ended;
  }

  open(): void {
    this.#port.on('message', (message: ToHost) => this.#receive(message));
    this.#post({ type: 'ready' });
  }

  #receive(message: ToHost): void {
    switch (message.type) {
      case 'run':
        void this.#run(message.request);
        return;
      case 'cancel':
        this.#cancels.get(message.id)?.abort();
        return;
      case 'answer':
        this.#asks.get(message.ask)?.(message);
        this.#asks.delete(message.ask);
        return;
      case 'end':
        this.#port.close();
        void leftoversEnded().then(this.#ended);
        return;
      default:
        unreachable(message);
    }
  }

  async #run(request: SubtaskRequest): Promise<void> {
    const cancel = new AbortController();
    this.#cancels.set(request.id, cancel);
    const outcome = await perform(request, cancel.signal, new SubtaskLog(request.subtask), {
      results: (task) => this.#ask(request.id, task),
      groupStarted: (pid) => this.#post({ type: 'group-started', id: request.id, pid }),
      now: () => timeOn(this.#start.timeLine),
    });
    this.#cancels.delete(request.id);
    this.#post({ type: 'done', id: request.id, outcome });
  }

  #ask(id: number, task: string): Promise<JsonValue> {
    const ask = this.#nextAsk++;
    return new Promise((resolve, reject) => {
      this.#asks.set(ask, (answer) => {
        if (answer.found) resolve(answer.results);
        else reject(unreadable(task));
      });
      this.#post({ type: 'ask', ask, id, task });
    });
  }

  #post(message: FromHost): void {
    this.#port.postMessage(message);
  }
}
