import { expect, it } from 'vitest';
import { ChunkSize } from '../../../src/execute/chunk-size.js';

it('begins with single subtasks where nothing is known, and soon forgets a slow first one', () => {
  const size = new ChunkSize(undefined, 8192);
  expect(size.next(100_000, 2)).toBe(1);
  size.observe(1, 10);
  expect(size.next(100_000, 2)).toBe(2);
  size.observe(2, 0.01);
  size.observe(20, 0.1);
  size.observe(200, 1);
  expect(size.next(100_000, 2)).toBeGreaterThan(200);
});

it('follows what a chunk should take, and leaves a share for every agent', () => {
  let chunkMs = 20;
  const size = new ChunkSize(1, 8192, () => chunkMs);
  expect(size.next(100_000, 2)).toBe(20);
  chunkMs = 300;
  expect(size.next(100_000, 2)).toBe(300);
  expect(size.next(40, 2)).toBe(10);
});

it('makes longer chunks while much is left and it is known what subtasks take, and short ones again before the end', () => {
  const size = new ChunkSize(1, 8192);
  expect(size.next(20_000, 2)).toBe(20);
  size.observe(100, 100);
  expect(size.next(20_000, 2)).toBe(50);
  size.observe(500, 500);
  expect(size.next(20_000, 2)).toBe(200);
  expect(size.next(800, 2)).toBe(100);
  expect(size.next(160, 2)).toBe(20);
  expect(new ChunkSize(500, 8192).next(20_000, 2)).toBe(1);
});
