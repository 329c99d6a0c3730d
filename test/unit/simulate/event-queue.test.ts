import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventQueue } from '../../../bench/simulate/model/event-queue.js';

it('tells events by time, whatever comes between, and loses none', () => {
  const operation = fc.oneof(fc.double({ min: 0, max: 1000, noNaN: true }), fc.constant('next' as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const queue = new EventQueue();
      const expected: { time: number; id: number }[] = [];
      operations.forEach((operation, id) => {
        if (operation !== 'next') {
          queue.add(operation, id % 7, id);
          expected.push({ time: operation, id });
          return;
        }
        const earliest = Math.min(...expected.map(({ time }) => time));
        expect(queue.next()).toBe(expected.length > 0);
        if (expected.length === 0) return;
        expect(queue.time).toBe(earliest);
        const place = expected.findIndex(({ id, time }) => id === queue.payload && time === earliest);
        expect(place).not.toBe(-1);
        expect(queue.kind).toBe(queue.payload % 7);
        expected.splice(place, 1);
      });
      expect(queue.size).toBe(expected.length);
    }),
  );
});

it('grows beyond its first room', () => {
  const queue = new EventQueue();
  for (let i = 5000; i > 0; i--) queue.add(i, 1, i);
  for (let i = 1; i <= 5000; i++) {
    expect(queue.next()).toBe(true);
    expect([queue.time, queue.kind, queue.payload]).toEqual([i, 1, i]);
  }
  expect(queue.next()).toBe(false);
});
