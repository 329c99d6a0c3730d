/** A small seeded generator (mulberry32): one seed, one soak. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A plan whose subtasks keep a ledger: a line before each attempt and one after it. */
export interface SoakPlan {
  readonly files: Readonly<Record<string, string>>;
  /** As a person reads it. */
  readonly shape: string;
}

/**
 * The module of the subtasks. What it returns follows from its input alone. `fails`: so many attempts throw; `dies`: the
 * first attempt takes its thread with it.
 */
const MODULE = `import { appendFileSync } from 'node:fs';
export default async function work({ id, ms, fails, dies, from }, { attempt }) {
  appendFileSync('ledger', 'start ' + id + '\\n');
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (dies && attempt === 1) process.exit(7);
  if (attempt <= fails) throw new Error('not yet');
  appendFileSync('ledger', 'end ' + id + '\\n');
  return { id, sum: (from ?? []).length };
}
`;

/** A random plan of about `subtasks` subtasks of up to `ms` milliseconds: fan-outs in layers, as commands and as modules. */
export function randomPlan(random: () => number, { subtasks, ms }: { readonly subtasks: number; readonly ms: number }): SoakPlan {
  const tasks = 3 + Math.floor(random() * 4);
  const lines: string[] = [];
  const shape: string[] = [];
  for (let t = 0; t < tasks; t++) {
    const count = 1 + Math.floor((random() * 2 * subtasks) / tasks);
    const needs = [...Array(t).keys()].filter(() => random() < 0.5).map((need) => `t${need}`);
    const source = needs[0];
    const kind = random();
    const wait = Math.ceil(random() * ms);
    const head = `  t${t}:\n    needs: [${needs.join(', ')}]\n    retries: { max: 3, backoff: 5ms }\n`;
    const each = source !== undefined && kind < 0.15;
    const items = each
      ? `    foreach: { each: ${source} }\n`
      : `    foreach: [${Array.from({ length: count }, (_, i) => `t${t}-${i}`).join(', ')}]\n`;
    if (kind < 0.6) {
      const [fails, dies] = [random() < 0.3 ? 1 : 0, random() < 0.05];
      const id = each ? `t${t}-\${{ index }}` : '${{ item }}';
      lines.push(
        `${head}${items}    uses: ./work.mjs\n    with: { id: "${id}", ms: ${wait}, fails: ${fails}, dies: ${dies}${source === undefined ? '' : `, from: "\${{ tasks.${source}.results }}"`} }\n`,
      );
      shape.push(
        `t${t}: ${each ? `each of ${source}` : `${count} items`} by a module, ${wait} ms${fails > 0 ? ', flaky' : ''}${dies ? ', deadly' : ''}`,
      );
    } else {
      const id = each ? `t${t}-$INDEX` : '$ITEM';
      const flaky = random() < 0.3 ? ' [ "$ATTEMPT" -gt 1 ] || exit 75;' : '';
      lines.push(
        `${head}${items}    run: 'echo "start ${id}" >> ledger; sleep ${(wait / 1000).toFixed(3)};${flaky} echo "end ${id}" >> ledger; echo "${id}"'\n`,
      );
      shape.push(
        `t${t}: ${each ? `each of ${source}` : `${count} items`} by a command, ${wait} ms${flaky === '' ? '' : ', flaky'}`,
      );
    }
  }
  const sync = random() < 0.5 ? 'eager' : 'wave';
  return {
    files: {
      'work.mjs': MODULE,
      'plan.yaml': `version: 1\nname: soak\nbackup: none\nsync: ${sync}\ntasks:\n${lines.join('')}`,
    },
    shape: `${sync}; ${shape.join('; ')}`,
  };
}
