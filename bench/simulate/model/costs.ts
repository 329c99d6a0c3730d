/** Processor time of one thread, in milliseconds: for each message that it handles, and for each subtask that the message is about. */
export interface MessageCost {
  readonly each: number;
  readonly perSubtask: number;
}

/** Of a thread by which chunks go, and come back. */
export interface ThreadCosts {
  readonly chunk: MessageCost;
  /** An envelope, whatever its direction, and the outcomes that are in it. */
  readonly envelope: MessageCost;
}

/** What a distributed run costs, as measured. Times are in milliseconds, memory in bytes. */
export interface Costs {
  /** The coordinator's one thread: to hand a chunk out, and to take an envelope of outcomes in, with its journal. */
  readonly coordinator: ThreadCosts;
  /** Redis' one thread: everything that it does for a chunk, and for an envelope. */
  readonly redis: ThreadCosts;
  /** A worker's main thread: to take a chunk up, and to send an envelope. */
  readonly worker: ThreadCosts;
  /** An agent's own thread, beside the work itself: preparing a subtask and writing its checkpoint. */
  readonly agent: MessageCost;
  /** What the first subtask of each agent takes longer: its thread loads what the subtasks need. */
  readonly coldMs: number;
  /** Before the first chunk is handed out: the wave begins, and workers start threads. */
  readonly startMs: number;
  /** One way between a machine and Redis; one of the samples is drawn for each message. */
  readonly networkMs: readonly number[];
  /** How long a worker gathers what is not urgent before it sends it, and a coordinator what it acknowledges. */
  readonly gatherMs: number;
  readonly acknowledgeMs: number;
  /** From a job's arrival in Redis to the worker's answer to it, without the network and processor time; drawn likewise. */
  readonly pickUpMs: readonly number[];
  readonly memory: {
    /** Redis before the run. */
    readonly idle: number;
    readonly perWorker: number;
    /** A chunk until it was taken up. */
    readonly chunk: MessageCost;
    /** An envelope until it was taken in. */
    readonly envelope: MessageCost;
  };
}

/** Subtasks that are all alike. */
export interface Work {
  readonly name: string;
  readonly subtasks: number;
  /** Of one subtask: time on a core, and time in which it only waits. */
  readonly cpuMs: number;
  readonly waitMs: number;
}

/** Who runs them. */
export interface Fleet {
  readonly workers: number;
  readonly agentsPerWorker: number;
  /** Chunks that an agent may have at a time: one that it runs, and others on their way. */
  readonly chunksPerAgent: number;
  /**
   * Cores that all of it shares, coordinator, Redis and workers, as on one machine; undefined: machines of their own, with a
   * core for every thread.
   */
  readonly sharedCores: number | undefined;
}

/** Decides how large chunks are. */
export interface Sizing {
  /** How many subtasks the next chunk has, of so many that wait for so many agents. */
  readonly next: (waiting: number, agents: number) => number;
  /** A chunk came back: how long its subtasks took together, and how much longer it was away. */
  readonly cameBack: (subtasks: number, busyMs: number, wayMs: number) => void;
}

/** What a message about so many subtasks costs. */
export function costOf({ each, perSubtask }: MessageCost, subtasks: number): number {
  return each + perSubtask * subtasks;
}
