import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Attribution } from '../../../src/actions/attribution.js';

interface Owner {
  readonly name: string;
}
const first: Owner = { name: 'first' };
const second: Owner = { name: 'second' };

describe('attribution', () => {
  it('tells whose call it is while it lasts, also of one that throws', () => {
    const owners = new Attribution<Owner>();
    expect(owners.call(first, () => owners.owner)).toBe(first);
    expect(owners.owner).toBeUndefined();
    expect(() =>
      owners.call(first, () => {
        throw new Error('it ends so');
      }),
    ).toThrow('it ends so');
    expect(owners.owner).toBeUndefined();
  });

  it('follows what goes on later, several at once, with calls of others between', async () => {
    const owners = new Attribution<Owner>();
    const seen = async () => {
      await turn();
      const after = [owners.owner];
      await new Promise((resolve) => setTimeout(resolve, 1));
      return [...after, owners.owner];
    };
    const both = [owners.follow(first, seen), owners.follow(second, seen)];
    expect(owners.call(second, () => owners.owner)).toBe(second);
    expect(await Promise.all(both)).toEqual([
      [first, first],
      [second, second],
    ]);
    owners.release(first);
    owners.release(second);
  });

  it('follows again after a time in which there was nobody to follow', async () => {
    const owners = new Attribution<Owner>();
    const seen = () => turn().then(() => owners.owner);
    expect(await owners.follow(first, seen)).toBe(first);
    owners.release(first);
    owners.call(second, () => {});
    expect(await owners.follow(second, seen)).toBe(second);
  });

  it('knows who was called last where a call left something behind', async () => {
    const owners = new Attribution<Owner>();
    expect(owners.lastCalled).toBeUndefined();
    const late = owners.call(first, () => ({ seen: turn().then(() => owners.owner) }));
    owners.release(first);
    expect(await late.seen).toBeUndefined();
    expect(owners.lastCalled).toBe(first);
  });

  it('takes what is nobody’s for that of the call that goes on, and follows all calls from then on', async () => {
    const owners = new Attribution<Owner>();
    const seen = () => turn().then(() => owners.owner);
    const one = owners.call(first, seen);
    owners.goesOn(first);
    const two = owners.call(second, seen);
    owners.goesOn(second);
    expect(await Promise.all([one, two])).toEqual([first, second]);
    owners.release(second);
    expect(owners.owner).toBe(first);
    owners.release(first);
    expect(owners.owner).toBeUndefined();
  });
});
