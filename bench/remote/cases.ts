import { appendFileSync, cpSync, existsSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Checkpoint } from '../../src/model/checkpoint.ts';
import { type Check, check, makeInput, none, output, startServer } from '../scenarios/scenario.ts';
import { observe } from './observed-api.ts';
import { PROJECT } from './programs.ts';

/** One run of a scenario, in a folder of its own. */
export interface Trial {
  readonly folder: string;
  /** The plan, in the folder, and its params. */
  readonly plan: readonly string[];
  /** What must be true of the world beside the folder, once the run has these records. */
  readonly checks: (records: readonly Checkpoint[]) => Promise<readonly Check[]>;
  readonly end: () => Promise<void>;
}

/** A scenario that can be run again and again from the same beginning. */
export interface Case {
  readonly name: string;
  readonly size: string;
  /** @param host the address of this machine at which workers reach it. */
  readonly begin: (folder: string, host: string) => Promise<Trial>;
}

/** Requests a second that the new API allows. */
const LIMIT = 500;
/** The most that may come: what is sent at the plan's rate is bunched by whatever holds up the way, but not to twice as many. */
const MOST = 1.25 * LIMIT;
/** A server is asked before the answer to it is recorded; the clocks of two processes agree this well, in milliseconds. */
const CLOCKS_MS = 20;

/** A scenario on files: its input is made once, below `folder`, and copied for each run. */
export async function filesCase(
  options: { readonly plan: string; readonly maker: string; readonly sizeOption: string; readonly unit: string },
  { folder, size, seed }: { readonly folder: string; readonly size: number; readonly seed: number },
): Promise<Case> {
  const { plan, maker, sizeOption, unit } = options;
  const template = join(folder, `${plan}-input`);
  await makeInput(maker, [template, sizeOption, String(size), '--seed', String(seed)]);
  layPlan(plan, template);
  return {
    name: plan,
    size: `${size} ${unit}`,
    begin: async (own) => {
      cpSync(template, own, { recursive: true, preserveTimestamps: true });
      linkPackages(dirname(own));
      return { folder: own, plan: [planPath(plan)], checks: async () => [], end: async () => {} };
    },
  };
}

/** The scenario on two APIs, each behind an observer that the workers reach. */
export function apiCase({ size, seed }: { readonly size: number; readonly seed: number }): Case {
  const plan = 'api-migration';
  const begin = async (folder: string, host: string): Promise<Trial> => {
    // A repository of its own, so that the run works in the folder and not in that of the plan.
    await output(['git', 'init', '--quiet', folder], dirname(folder));
    layPlan(plan, folder);
    linkPackages(dirname(folder));
    const shared = ['--seed', String(seed), '--latency', '10'];
    const old = await startServer('servers/user-api.ts', ['old', '--users', String(size), ...shared]);
    const target = await startServer('servers/user-api.ts', ['new', '--rate', String(LIMIT), '--faults', '0.01', ...shared]);
    const [oldSeen, targetSeen] = await Promise.all([observe(old.url, host), observe(target.url, host)]);
    return {
      folder,
      plan: [planPath(plan), '--param', `old=${oldSeen.url}`, '--param', `new=${targetSeen.url}`],
      checks: async (records) => {
        const stats = (await (await fetch(`${target.url}/stats`)).json()) as Stats;
        const ends = new Map(
          records
            .filter(({ status }) => status === 'success')
            .map(({ key, started, duration_ms }) => [key, started + duration_ms]),
        );
        const late = targetSeen.posts.filter(({ key, at }) => at > (ends.get(key) ?? Number.POSITIVE_INFINITY) + CLOCKS_MS);
        const times = new Map<string, number>();
        for (const { key } of targetSeen.posts) times.set(key, (times.get(key) ?? 0) + 1);
        const again = [...times.values()].filter((count) => count > 1).length;
        return [
          check(
            `the new API has ${size} users, each created once`,
            stats.created === size && stats.conflicts === 0,
            `${JSON.stringify(stats)}`,
          ),
          none(
            `none of ${targetSeen.posts.length} posts (${again} users were posted more than once) came after its checkpoint`,
            late.map(({ key }) => key),
          ),
          check(
            `the rate holds across all of them: at most ${MOST} requests in any second`,
            stats.busiest <= MOST,
            `${stats.busiest}`,
          ),
        ];
      },
      end: async () => {
        await Promise.all([oldSeen.close(), targetSeen.close()]);
        await Promise.all([old.stop(), target.stop()]);
      },
    };
  };
  return { name: plan, size: `${size} users`, begin };
}

interface Stats {
  readonly created: number;
  readonly conflicts: number;
  readonly busiest: number;
}

/** Where a plan lies in its checkout: hidden, so that it is none of the files that it works on. */
function planPath(plan: string): string {
  return `.plans/${plan}.yaml`;
}

function layPlan(plan: string, folder: string): void {
  for (const part of [`${plan}.yaml`, `tasks/${plan}`])
    cpSync(join(PROJECT, 'plans', part), join(folder, '.plans', part), { recursive: true });
  const exclude = join(folder, '.git', 'info', 'exclude');
  if (existsSync(dirname(exclude))) appendFileSync(exclude, '.plans\n');
}

/** Lets modules in checkouts below a folder find what they import, as if it were installed there. */
function linkPackages(folder: string): void {
  const link = join(folder, 'node_modules');
  if (!existsSync(link) && basename(folder) !== 'node_modules') symlinkSync(join(PROJECT, 'node_modules'), link);
}
