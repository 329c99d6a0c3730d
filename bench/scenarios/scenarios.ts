/**
 * The three scenarios at full size, each with its outcome checked by another route: `npm run scenarios`.
 * Options: `--only NAME`, `--size N` (of the one chosen), `--seed N` (default 1), `--keep` (leave the folders).
 * Exits 1 when a check does not hold.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiMigration } from './api-migration.ts';
import { renameMedia } from './rename-media.ts';
import { repoCleanup } from './repo-cleanup.ts';
import type { ScenarioOptions, ScenarioOutcome } from './scenario.ts';

const SCENARIOS: readonly (readonly [name: string, size: number, run: (options: ScenarioOptions) => Promise<ScenarioOutcome>])[] =
  [
    ['repo-cleanup', 400, repoCleanup],
    ['rename-media', 10_000, renameMedia],
    ['api-migration', 50_000, apiMigration],
  ];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    size: { type: 'string' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'waveplan-scenarios-'));
try {
  for (const [name, fullSize, run] of SCENARIOS) {
    if (values.only !== undefined && values.only !== name) continue;
    const size = values.size === undefined ? fullSize : Number(values.size);
    const outcome = await run({ folder: join(folder, name), size, seed: Number(values.seed) });
    console.log(textOf(outcome));
    if (outcome.checks.some(({ wrong }) => wrong !== undefined)) process.exitCode = 1;
  }
} finally {
  if (values.keep) console.log(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

function textOf({
  name,
  asked,
  size,
  agents,
  predictedSeconds,
  actualSeconds,
  sequential,
  checks,
  notes,
}: ScenarioOutcome): string {
  const seconds = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} s`;
  return [
    `\n${name} (${size})`,
    `  asked       ${asked}`,
    `  agents      ${agents}`,
    `  predicted   ${predictedSeconds === undefined ? 'not known' : seconds(predictedSeconds)}`,
    `  actual      ${seconds(actualSeconds)}`,
    `  sequential  ${seconds(sequential.seconds)} (${sequential.how}): ${(sequential.seconds / actualSeconds).toFixed(1)} times as long`,
    ...notes.map((note) => `  note        ${note}`),
    ...checks.map(
      ({ what, wrong }) =>
        `  ${wrong === undefined ? 'ok    ' : 'WRONG '}      ${what}${wrong === undefined ? '' : `: ${wrong}`}`,
    ),
  ].join('\n');
}
