/** A text with its seal. */
export interface Sealed {
  readonly text: string;
  readonly seal: string;
}

/** Messages on their way from one session to another, with their seal; see `channel.ts`. */
export interface Envelope {
  readonly from: string;
  readonly to: string;
  /** Counts the envelopes of one sender to one receiver from 1; 0 for one that only acknowledges. */
  readonly serial: number;
  /** All envelopes of the other direction up to this serial came. */
  readonly ack: number;
  /** The messages, as JSON. */
  readonly head: string;
  /** What of the messages is bytes, one after the other. */
  readonly body: Uint8Array;
  readonly seal: string;
}

/** Who shows that it is there. */
export type Party = 'worker' | 'coordinator';

/**
 * What a coordinator and its workers need of Redis. Nothing here is certain to arrive: a Redis that is started again without
 * its data has lost whatever was on its way, and who sent it sends it again. Sessions name one process each, for its lifetime.
 */
export interface Wire {
  /** Whether Redis answers at present. What is sent while it does not waits. */
  readonly connected: boolean;
  /** Calls `listener` whenever Redis answers again after it did not. */
  onReconnected(listener: () => void): void;
  /** Adds a job to a worker's queue; one with the same id that is still there stays the only one. */
  sendJob(worker: string, id: string, job: Sealed): Promise<void>;
  /** Gives `take` each job of a worker's queue, of whatever form. */
  receiveJobs(worker: string, take: (job: unknown) => void): Promise<void>;
  post(envelope: Envelope): Promise<void>;
  /** Gives `take` each envelope for a session, in the order in which they were posted. */
  receivePost(session: string, take: (envelope: Envelope) => void): void;
  /** Shows, for `ttlMs`, that a session is there. */
  beat(party: Party, session: string, beat: Sealed, ttlMs: number): Promise<void>;
  /** The last beat of each session that shows itself. */
  beats(party: Party): Promise<ReadonlyMap<string, Sealed>>;
  /** Takes away what a session left in Redis. */
  forget(party: Party, session: string): Promise<void>;
  /** Ends the connection; what waits to be sent is lost. */
  close(): Promise<void>;
}
