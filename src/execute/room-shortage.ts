import type { Failure } from '../model/failure.js';
import type { AgentSupply } from './agent-supply.js';
import type { DispatcherPorts } from './dispatcher-ports.js';
import type { Retry } from './task-state.js';
import type { WaitingWork } from './waiting-work.js';

/** How long to wait before the next attempt to start anything: others may end meanwhile. */
const ROOM_PATIENCE_MS = 100;

/** Refusals in a row, with one agent left, after which the run gives up. */
const MOST_REFUSALS = 20;

/** What making do with less works with. */
interface RoomPorts extends Pick<DispatcherPorts, 'clock' | 'emit' | 'control'> {
  readonly agents: AgentSupply;
  readonly waiting: WaitingWork;
}

/** Makes do where the system starts no more processes: half the agents go on, and what was refused waits for its turn. */
export class RoomShortage {
  readonly #ports: RoomPorts;
  /** How often the system refused to start something since it last did. */
  #refusals = 0;
  #noCutBefore = 0;

  constructor(ports: RoomPorts) {
    this.#ports = ports;
  }

  /** Something was started and succeeded. */
  over(): void {
    this.#refusals = 0;
  }

  /** The system refused a process or a file: half the agents go on. */
  makeDo(wave: number, failure: Failure): void {
    const { clock, emit, agents } = this.#ports;
    const from = agents.size;
    // Several are refused at once; only the first of them makes the agents fewer.
    if (from === 1 || clock.now() < this.#noCutBefore) return;
    this.#noCutBefore = clock.now() + ROOM_PATIENCE_MS;
    agents.capAt(Math.floor(from / 2));
    const reason = `no room for more: ${failure.message}`;
    emit({ type: 'agents-changed', at: clock.now(), wave, from, to: agents.size, reason });
  }

  /** A subtask was refused; `again` is that attempt once more, because it never had its turn. */
  startAgain(again: Retry, failure: Failure): void {
    const { control, agents, waiting } = this.#ports;
    this.#refusals += 1;
    if (agents.size === 1 && this.#refusals > MOST_REFUSALS) {
      control.drain({ status: 'broken', reason: `nothing can be started any more: ${failure.message}` });
      return;
    }
    waiting.retryAfter(ROOM_PATIENCE_MS, again);
  }
}
