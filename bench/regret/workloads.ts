/** A plan whose number of agents is tried out, with the counts that are tried. */
export interface Workload {
  readonly name: string;
  readonly plan: string;
  readonly counts: readonly number[];
}

/** Modules that the workloads share, by file name. */
export const MODULES: Readonly<Record<string, string>> = {
  'count.mjs': `
    // A fixed amount of work, whoever shares the core: about 0.1 ms for each unit.
    export default (units) => {
      let x = 0;
      for (let i = 0; i < units * 60_000; i++) x = (x * 31 + i) | 0;
      return x;
    };`,
  'wait.mjs': 'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms)).then(() => null);',
  'file.mjs': `
    import { readFile, rm, writeFile } from 'node:fs/promises';
    import { join } from 'node:path';
    export default async (name, { folder }) => {
      const path = join(folder, 'files', name + '.tmp');
      await writeFile(path, Buffer.alloc(64 * 1024, 7));
      const { length } = await readFile(path);
      await rm(path);
      return length;
    };`,
};

/** A list of `n` items for a plan. */
function items(n: number, item: (i: number) => number | string = (i) => i): string {
  return JSON.stringify(Array.from({ length: n }, (_, i) => item(i)));
}

function plan(name: string, type: string, task: string, extra = ''): string {
  return `version: 1\nname: ${name}\nbackup: none\ntype: ${type}\n${extra}tasks:\n  work: ${task}\n`;
}

/** What people have: much and little work, waiting and computing, even and uneven. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'cpu-0.1ms',
    plan: plan('cpu-tiny', 'computation', `{ foreach: ${items(5000)}, uses: ./count.mjs, with: 1 }`),
    counts: [1, 2, 4, 8],
  },
  {
    name: 'cpu-5ms',
    plan: plan('cpu-small', 'computation', `{ foreach: ${items(400)}, uses: ./count.mjs, with: 50 }`),
    counts: [1, 2, 4, 8],
  },
  {
    name: 'cpu-200ms',
    plan: plan('cpu-large', 'computation', `{ foreach: ${items(16)}, uses: ./count.mjs, with: 2000 }`),
    counts: [1, 2, 4, 8],
  },
  {
    name: 'shell-5ms',
    plan: plan('shell', 'general', `{ foreach: ${items(300)}, run: 'sleep 0.005' }`),
    counts: [1, 2, 4, 8, 16],
  },
  {
    name: 'io-50ms',
    plan: plan('io', 'network_operations', `{ foreach: ${items(120)}, uses: ./wait.mjs, with: 50 }`),
    counts: [1, 2, 4, 8, 16, 32, 64, 128],
  },
  {
    name: 'api-rate',
    plan: plan('api', 'api_calls', `{ foreach: ${items(90)}, uses: ./wait.mjs, with: 100 }`, 'limits: { rate: 30/s }\n'),
    counts: [1, 2, 4, 8, 16],
  },
  {
    name: 'files',
    plan: plan('files', 'file_operations', `{ foreach: ${items(3000, (i) => `f${i}`)}, uses: ./file.mjs, with: "\${{ item }}" }`),
    counts: [1, 2, 4, 8, 16, 32],
  },
  {
    name: 'mix',
    // One in ten is twenty times as long.
    plan: plan(
      'mix',
      'general',
      `{ foreach: ${items(160, (i) => (i % 10 === 3 ? 200 : 10))}, uses: ./wait.mjs, with: "\${{ item }}" }`,
    ),
    counts: [1, 2, 4, 8, 16, 32, 48, 64],
  },
];
