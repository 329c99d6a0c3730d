import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

/** A small seeded generator (mulberry32): the same plan each time, and a failure names its seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `tasks` in layers of random width; each needs up to four of earlier layers, and at least one of the layer before. */
function layeredNeeds(tasks: number, seed: number): string[][] {
  const random = randomFrom(seed);
  const needs: string[][] = [];
  let before: number[] = [];
  for (let first = 0; first < tasks; ) {
    const width = Math.min(tasks - first, 1 + Math.floor(random() * 40));
    const layer = Array.from({ length: width }, (_, i) => first + i);
    for (const _ of layer) {
      const chosen = new Set<number>();
      if (before.length > 0) chosen.add(before[Math.floor(random() * before.length)] ?? 0);
      for (let k = Math.floor(random() * 4); k > 0 && first > 0; k--) chosen.add(Math.floor(random() * first));
      needs.push([...chosen].map((task) => `t${task}`));
    }
    before = layer;
    first += width;
  }
  return needs;
}

describe('a random layered plan of 300 tasks', () => {
  it.each([1, 20261124])('starts nothing before all its needs, nor a wave before the last one ended (seed %i)', async (seed) => {
    const folder = tempFolder();
    const needs = layeredNeeds(300, seed);
    const lines = needs.map((list, i) =>
      // Commands and modules in turns: they run on different paths. The command's own clock is the second witness.
      i % 3 === 0
        ? `  t${i}: { needs: [${list.join(', ')}], run: 'date +%s%N; sleep 0.00$((${i} % 10)); date +%s%N', output: lines }`
        : `  t${i}: { needs: [${list.join(', ')}], uses: ./work.mjs, with: ${i % 7} }`,
    );
    writeFiles(folder, {
      'work.mjs': 'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms));',
      'plan.yaml': `version: 1\nname: layered\nbackup: none\ntasks:\n${lines.join('\n')}\n`,
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-j', '8'], { cwd: folder });
    expect(done.code, done.text).toBe(0);

    const checkpoints = checkpointsOf(onlyRun(folder));
    const byName = new Map(checkpoints.map((checkpoint) => [checkpoint.task_id, checkpoint]));
    expect(byName.size).toBe(300);
    let edges = 0;
    for (const [i, list] of needs.entries()) {
      const task = byName.get(`t${i}`);
      for (const need of list) {
        const before = byName.get(need);
        if (task === undefined || before === undefined) throw new Error(`no checkpoint of t${i} or ${need}`);
        expect(task.started, `t${i} after ${need}`).toBeGreaterThanOrEqual(before.started + before.duration_ms);
        expect(task.wave).toBeGreaterThan(before.wave);
        edges += 1;
      }
    }
    expect(edges).toBeGreaterThan(300);
    const waves = Math.max(...checkpoints.map(({ wave }) => wave));
    expect(waves).toBeGreaterThan(5);
    for (let wave = 1; wave < waves; wave++) {
      const ended = Math.max(...checkpoints.filter((c) => c.wave === wave).map((c) => c.started + c.duration_ms));
      const started = Math.min(...checkpoints.filter((c) => c.wave === wave + 1).map((c) => c.started));
      expect(started, `wave ${wave + 1} after wave ${wave}`).toBeGreaterThanOrEqual(ended);
    }
    // By the commands' own clock.
    const seen = (name: string) =>
      ((byName.get(name)?.results ?? { stdout: [] }) as { stdout: string[] }).stdout.map((ns) => BigInt(ns));
    for (let i = 0; i < 300; i += 3) {
      for (const need of (needs[i] ?? []).filter((name) => Number(name.slice(1)) % 3 === 0)) {
        expect(seen(`t${i}`)[0] ?? 0n).toBeGreaterThanOrEqual(seen(need)[1] ?? 1n);
      }
    }
    const report = JSON.parse(readFileSync(join(onlyRun(folder), 'report.json'), 'utf8'));
    expect(report.status).toBe('done');
  });
});
