import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { Channel } from '../../../src/remote/channel.js';
import { Inbox } from '../../../src/remote/inbox.js';
import { Outbox } from '../../../src/remote/outbox.js';
import { Sealer } from '../../../src/remote/seal.js';
import type { Envelope } from '../../../src/remote/wire.js';

it('an inbox gives each item once and in order, however they come', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (arrivals) => {
      const inbox = new Inbox<number>();
      const taken = [...arrivals, ...Array.from({ length: 12 }, (_, i) => i + 1)].flatMap((serial) => inbox.take(serial, serial));
      expect(taken).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
      expect(inbox.taken).toBe(12);
    }),
  );
});

it('an outbox keeps what was not acknowledged, and says what is late', () => {
  const outbox = new Outbox<string>();
  expect([outbox.add('a', 0), outbox.add('b', 10), outbox.add('c', 20)]).toEqual([1, 2, 3]);
  expect(outbox.overdue(10, 30).map(({ item }) => item)).toEqual(['a', 'b']);
  expect(outbox.overdue(20, 40).map(({ item }) => item)).toEqual(['c']);
  outbox.acknowledge(2);
  outbox.acknowledge(1);
  expect(outbox.size).toBe(1);
  expect(outbox.overdue(100, 200)).toEqual([{ serial: 3, item: 'c', sentAt: 200 }]);
});

interface Numbered {
  readonly n: number;
}

/** Two ends of a channel over a wire that loses, repeats and disorders what it carries. */
function pair(fate: () => 'lost' | 'once' | 'twice' | 'late') {
  const sealer = new Sealer('0123456789abcdef');
  const late: Envelope[] = [];
  const got: { readonly n: number; readonly text: string }[] = [];
  const ends = new Map<string, { readonly take: (envelope: Envelope) => boolean }>();
  const wire = {
    connected: true,
    post: async (envelope: Envelope) => {
      const what = fate();
      if (what === 'late') late.push(envelope);
      const times = what === 'twice' ? 2 : what === 'once' ? 1 : 0;
      for (let i = 0; i < times; i++) ends.get(envelope.to)?.take(envelope);
      if (what !== 'late') for (const old of late.splice(0)) ends.get(old.to)?.take(old);
    },
  };
  const common = { wire, sealer, now: () => performance.now() };
  const a = new Channel<Numbered, Numbered>({ ...common, own: 'a', peer: 'b', receive: () => {} });
  const b = new Channel<Numbered, Numbered>({
    ...common,
    own: 'b',
    peer: 'a',
    receive: ({ n }, bytes) => got.push({ n, text: Buffer.from(bytes).toString() }),
  });
  ends.set('a', a);
  ends.set('b', b);
  return { a, b, got, sealer };
}

it('a channel delivers every message once and in order over a wire that loses, repeats and disorders', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const fates = fc.sample(fc.constantFrom('lost', 'once', 'twice', 'late'), { numRuns: 4000, seed: 7 });
    let next = 0;
    const { a, b, got } = pair(() => fates[next++ % fates.length] ?? 'once');
    for (let n = 0; n < 300; n++) {
      a.send({ n }, { bytes: Buffer.from(`bytes of ${n}`), urgent: n % 3 === 0 });
      if (n % 7 === 0) await vi.advanceTimersByTimeAsync(25);
    }
    for (let i = 0; got.length < 300 && i < 500; i++) {
      await vi.advanceTimersByTimeAsync(3100);
      a.sendAgain();
      b.sendAgain();
    }
    expect(got).toEqual(Array.from({ length: 300 }, (_, n) => ({ n, text: `bytes of ${n}` })));
    a.close();
    b.close();
  } finally {
    vi.useRealTimers();
  }
});

it('a channel takes nothing that is not sealed, for another session, or from another', () => {
  const { b, got, sealer } = pair(() => 'once');
  const parts = (from: string, to: string) => [from, to, '1', '0', '[[{"n":1},0]]', ''];
  const envelope = (from: string, to: string, seal: string): Envelope => {
    return { from, to, serial: 1, ack: 0, head: '[[{"n":1},0]]', body: Buffer.alloc(0), seal };
  };
  expect(b.take(envelope('a', 'b', ''))).toBe(false);
  expect(b.take(envelope('a', 'b', sealer.seal('job', parts('a', 'b'))))).toBe(false);
  expect(b.take(envelope('a', 'c', sealer.seal('post', parts('a', 'c'))))).toBe(false);
  expect(b.take(envelope('c', 'b', sealer.seal('post', parts('c', 'b'))))).toBe(false);
  expect(got).toEqual([]);
  expect(b.take(envelope('a', 'b', sealer.seal('post', parts('a', 'b'))))).toBe(true);
  expect(got).toHaveLength(1);
  b.close();
});
