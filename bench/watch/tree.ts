import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name of the i-th file of a tree: a hundred folders of them. */
export function nameOf(i: number): string {
  return `src/${i % 100}/${i}.txt`;
}

const HEAD = `version: 1
name: watch-bench
backup: none
tasks:
  upper:
    foreach: { file: files.txt }
    inputs: ["\${{ item }}"]
    outputs: ["out/\${{ item }}"]
`;
const PLANS = {
  /** A function for each file. */
  module: `${HEAD}    uses: ./upper.mjs\n    with: { file: "\${{ item }}" }\n`,
  /** A command for each, as a build has it. */
  command: `${HEAD}    run: tr a-z A-Z < "$ITEM" > "out/$ITEM"\n`,
};

/** A folder in /tmp with so many files and a plan that makes one of each. */
export function makeTree(files: number, plan: keyof typeof PLANS): string {
  const folder = mkdtempSync(join(tmpdir(), 'waveplan-watch-'));
  for (let i = 0; i < 100; i++)
    for (const top of ['src', 'out/src']) mkdirSync(join(folder, top, String(i)), { recursive: true });
  for (let i = 0; i < files; i++) writeFileSync(join(folder, nameOf(i)), `file ${i}`);
  writeFileSync(join(folder, 'files.txt'), Array.from({ length: files }, (_, i) => `${nameOf(i)}\n`).join(''));
  writeFileSync(join(folder, 'plan.yaml'), PLANS[plan]);
  cpSync(fileURLToPath(new URL('upper.mjs', import.meta.url)), join(folder, 'upper.mjs'));
  return folder;
}
