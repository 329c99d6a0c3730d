import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { OldUser } from '../../plans/servers/users.ts';
import { oldUser } from '../../plans/servers/users.ts';
import { check, none, type RunFigures, runPlan, type ScenarioOptions, type ScenarioOutcome, startServer } from './scenario.ts';

/** Requests a second that the new API allows; the plan asks for a little less. */
const LIMIT = 500;
/** Users that one agent moves alone to know how long it takes for each. */
const SAMPLE = 300;

interface Stats {
  readonly requests: number;
  readonly accepted: number;
  readonly refused: number;
  readonly faults: number;
  readonly repeated: number;
  readonly conflicts: number;
  readonly created: number;
  readonly busiest: number;
  readonly perSecond: readonly number[];
}

/** The third scenario: users move from one API to another that limits its rate and fails now and then. `size` is how many users. */
export async function apiMigration({ folder, size, seed }: ScenarioOptions): Promise<ScenarioOutcome> {
  const all = await migrate(join(folder, 'parallel'), { size, seed });
  const sample = Math.min(size, SAMPLE);
  const alone = await migrate(join(folder, 'alone'), { size: sample, seed, args: ['--agents', '1'] });
  const { stats, users } = all;
  const wanted = Array.from({ length: size }, (_, index) => expected(oldUser(seed, index)));
  const byId = new Map(users.map((user) => [user.id, JSON.stringify(user)]));
  const used = usedShare(stats);
  return {
    name: 'api-migration',
    asked:
      'Execute this task dynamically with auto-scaled parallel instances: Migrate all user records from old API to new API: fetch, transform, post, verify',
    size: `${size} users`,
    ...all.figures,
    sequential: {
      seconds: (alone.figures.actualSeconds / sample) * size,
      how: sample === size ? 'measured with 1 agent' : `reckoned from ${sample} users with 1 agent`,
    },
    checks: [
      check(`the new API has ${size} users`, users.length === size && stats.created === size, `${users.length}`),
      none(
        'each is there, as it was, in the new form',
        wanted.filter((user) => byId.get(user.id) !== JSON.stringify(user)).map(({ id }) => id),
      ),
      check('no user was created twice', stats.conflicts === 0, `${stats.conflicts} conflicts`),
      check(
        `never more than ${LIMIT} requests in any second, by the server's own count`,
        stats.busiest <= LIMIT,
        `${stats.busiest}`,
      ),
    ],
    notes: [
      `the new API got ${stats.requests} requests: ${stats.refused} refused by its limit, ${stats.faults} faults, ${stats.repeated} repetitions recognised by their key`,
      ...(used === undefined
        ? []
        : [`of the rate that it allows, ${(100 * used).toFixed(1)}% was used (busiest second: ${stats.busiest})`]),
    ],
  };
}

async function migrate(
  folder: string,
  { size, seed, args = [] }: { readonly size: number; readonly seed: number; readonly args?: readonly string[] },
): Promise<{ readonly figures: RunFigures; readonly stats: Stats; readonly users: readonly { readonly id: string }[] }> {
  mkdirSync(folder, { recursive: true });
  const shared = ['--seed', String(seed), '--latency', '10'];
  const old = await startServer('servers/user-api.ts', ['old', '--users', String(size), ...shared]);
  const target = await startServer('servers/user-api.ts', ['new', '--rate', String(LIMIT), '--faults', '0.01', ...shared]);
  try {
    const params = ['--param', `old=${old.url}`, '--param', `new=${target.url}`];
    const figures = await runPlan('api-migration.yaml', folder, [...params, ...args]);
    const stats = (await (await fetch(`${target.url}/stats`)).json()) as Stats;
    const users = (await (await fetch(`${target.url}/users`)).json()) as { readonly id: string }[];
    return { figures, stats, users };
  } finally {
    await Promise.all([old.stop(), target.stop()]);
  }
}

/** A user in the new form, written down a second time: the plan's own code is what is checked. */
function expected(user: OldUser) {
  const [day, month, year] = user.joined.split('.');
  return {
    id: user.id,
    name: [user.first_name, user.last_name].join(' '),
    email: user.mail.toLowerCase(),
    joinedOn: [year, month, day].join('-'),
    roles: user.flags === '' ? [] : user.flags.split(','),
  };
}

/** The share of the limit that whole seconds of work used; the first and last of each of the two waves are partial. Undefined for short runs. */
function usedShare({ perSecond }: Stats): number | undefined {
  const busy = perSecond.filter((requests) => requests > LIMIT / 2).sort((a, b) => a - b);
  if (busy.length < 10) return undefined;
  const whole = busy.slice(4);
  return whole.reduce((sum, requests) => sum + requests, 0) / (whole.length * LIMIT);
}
