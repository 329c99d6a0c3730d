import { ownJson } from '../model/json.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { AGAIN_MS } from './patience.js';
import type { Sealer } from './seal.js';
import type { Envelope, Wire } from './wire.js';

/** Messages that are not urgent wait this long for others, in milliseconds. */
const GATHER_MS = 20;
/** What came is acknowledged this late where nothing else is to be sent. */
const ACKNOWLEDGE_MS = 50;
/** Envelopes that may be on their way at once; what follows gathers until one of them was acknowledged. */
const WINDOW = 64;
/** What gathers is sent when it is this large. */
const FULL_BYTES = 256 * 1024;

/** A message, and the bytes that belong to it. */
interface Gathered<Message> {
  readonly message: Message;
  readonly bytes: Uint8Array;
}

/** What a channel works with. */
export interface ChannelPorts<In> {
  readonly wire: Pick<Wire, 'post' | 'connected'>;
  readonly sealer: Sealer;
  /** Milliseconds, by a clock that never goes backwards. */
  readonly now: () => number;
  /** The session at this end, and the one at the other. */
  readonly own: string;
  readonly peer: string;
  readonly receive: (message: In, bytes: Uint8Array) => void;
}

/**
 * One end of a connection between two sessions. Every message arrives once and in order, whatever Redis loses: what is sent
 * is kept until the other end has acknowledged it, and sent again.
 *
 *   send ──gather──▶ outbox ──envelope──▶ Redis ──▶ inbox ──▶ receive
 *                      ▲                                │
 *                      └────── ack, in any envelope ◀───┘
 */
export class Channel<Out, In> {
  readonly #ports: ChannelPorts<In>;
  readonly #outbox = new Outbox<{ readonly head: string; readonly body: Uint8Array }>();
  readonly #inbox = new Inbox<{ readonly head: string; readonly body: Uint8Array }>();
  #gathered: Gathered<Out>[] = [];
  #bytes = 0;
  #posting = false;
  #urgent = false;
  #gathering: NodeJS.Timeout | undefined;
  #acknowledging: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ports: ChannelPorts<In>) {
    this.#ports = ports;
  }

  /** Sends a message soon, or at once where it is urgent. `bytes` must not change any more. */
  send(message: Out, options: { readonly bytes?: Uint8Array; readonly urgent?: boolean } = {}): void {
    if (this.#closed) return;
    const { bytes = NO_BYTES, urgent = true } = options;
    this.#gathered.push({ message, bytes });
    this.#bytes += bytes.byteLength;
    if (urgent || this.#bytes > FULL_BYTES) {
      this.#urgent = true;
      // Not in this turn: what else is said in it goes with this.
      queueMicrotask(() => this.#flush());
      return;
    }
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#urgent = true;
      this.#flush();
    }, GATHER_MS);
  }

  /** Takes an envelope from the other end. false where its seal does not hold, and nothing was taken. */
  take(envelope: Envelope): boolean {
    const { own, peer, sealer } = this.#ports;
    if (envelope.from !== peer || envelope.to !== own || !sealer.holds('post', sealedParts(envelope), envelope.seal))
      return false;
    if (this.#closed) return true;
    this.#outbox.acknowledge(envelope.ack);
    if (this.#gathered.length > 0) this.#flush();
    if (envelope.serial === 0) return true;
    this.#acknowledging ??= setTimeout(() => this.#acknowledge(), ACKNOWLEDGE_MS);
    for (const { head, body } of this.#inbox.take(envelope.serial, envelope)) this.#open(head, body);
    return true;
  }

  /** To be called now and then, and with `all` when Redis came back: sends again what may have been lost. */
  sendAgain(all = false): void {
    const { now, wire } = this.#ports;
    if (this.#closed || !wire.connected) return;
    for (const { serial, item } of this.#outbox.overdue(all ? Number.POSITIVE_INFINITY : now() - AGAIN_MS, now())) {
      void this.#post(serial, item.head, item.body);
    }
  }

  /** Resolves when everything that was sent came, or the time is over. */
  async settled(limitMs: number): Promise<void> {
    const end = this.#ports.now() + limitMs;
    while (!this.#closed && (this.#outbox.size > 0 || this.#gathered.length > 0) && this.#ports.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
  }

  close(): void {
    if (this.#acknowledging !== undefined) this.#acknowledge();
    this.#closed = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#acknowledging);
  }

  #open(head: string, body: Uint8Array): void {
    let begin = 0;
    for (const [message, length] of ownJson(head) as readonly (readonly [In, number])[]) {
      // Whoever is told may close this end.
      if (this.#closed) return;
      this.#ports.receive(message, body.subarray(begin, begin + length));
      begin += length;
    }
  }

  /** One envelope at a time: what is sent meanwhile goes with the next. */
  #flush(): void {
    if (this.#posting || !this.#urgent || this.#closed || this.#gathered.length === 0 || this.#outbox.size >= WINDOW) return;
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#bytes = 0;
    this.#urgent = false;
    const head = JSON.stringify(gathered.map(({ message, bytes }) => [message, bytes.byteLength]));
    const body = Buffer.concat(gathered.map(({ bytes }) => bytes));
    const serial = this.#outbox.add({ head, body }, this.#ports.now());
    this.#posting = true;
    void this.#post(serial, head, body).then(() => {
      this.#posting = false;
      this.#flush();
    });
  }

  #acknowledge(): void {
    this.#acknowledging = undefined;
    if (!this.#closed) void this.#post(0, '', NO_BYTES);
  }

  async #post(serial: number, head: string, body: Uint8Array): Promise<void> {
    const { wire, sealer, own, peer } = this.#ports;
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    const unsealed = { from: own, to: peer, serial, ack: this.#inbox.taken, head, body };
    // What Redis did not take is sent again like what it lost.
    await wire.post({ ...unsealed, seal: sealer.seal('post', sealedParts(unsealed)) }).catch(() => {});
  }
}

const NO_BYTES = new Uint8Array(0);

function sealedParts({ from, to, serial, ack, head, body }: Omit<Envelope, 'seal'>): readonly (string | Uint8Array)[] {
  return [from, to, String(serial), String(ack), head, body];
}
