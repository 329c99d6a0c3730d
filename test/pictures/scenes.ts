import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recording } from './recording.js';

/** A picture: what is typed into which folder, and which part of the screen is kept. */
export interface Scene {
  readonly name: string;
  /** As a person would type it; `waveplan` is the built command. */
  readonly command: string;
  readonly rows: number;
  readonly files: Readonly<Record<string, string>>;
  /** Drives the command until the screen shows what the picture is of. */
  readonly play: (terminal: Recording, folder: string) => Promise<void>;
  /** The first and the last line of the picture, where it is not the whole screen. */
  readonly from?: RegExp;
  readonly to?: RegExp;
}

/** Of every picture: what panels need at most. */
export const COLUMNS = 96;

const QUESTION = /Ready to execute\? \(yes\/no\)$/;

/** Files to work on: enough for a fan-out that is worth agents. */
const SOURCES = Object.fromEntries(
  Array.from({ length: 213 }, (_, at) => [`src/part-${at + 1}.txt`, 'a line\n'.repeat(1 + ((at * 37) % 90))]),
);

const NIGHTLY = `version: 1
name: nightly
description: Fetch, test and publish every package of the monorepo
agents: 8
tasks:
  fetch: { phase: Preparation, run: seq 1 240, output: lines }
  test:
    phase: Tests of each package
    needs: [fetch]
    foreach: "\${{ tasks.fetch.results.stdout }}"
    retries: { max: 1, backoff: 1ms }
    run: |
      if [ "$ITEM" = 42 ]; then echo "expected 200, got 503" >&2; exit 1; fi
      if [ "$ITEM" = 17 ] && [ "$ATTEMPT" = 1 ]; then exit 1; fi
      if [ "$ITEM" -gt 150 ]; then until [ -e go ]; do sleep 0.1; done; else sleep 0.02; fi
  publish: { phase: Publication, needs: [test], run: 'true' }
  announce: { phase: Announcement, needs: [publish], run: 'true' }
`;

const TESTS = `version: 1
name: nightly
description: Test every package of the monorepo, and publish them
agents: 8
tasks:
  list: { phase: Preparation, run: seq 1 24, output: lines, estimate: 5ms }
  test:
    phase: Tests of each package
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    estimate: 20ms
    run: |
      [ $((ITEM % 7)) != 0 ] || { echo "connecting to the database"; echo "connection refused: db-$ITEM:5432" >&2; exit 1; }
  publish: { phase: Publication, needs: [test], run: 'true', estimate: 5ms }
`;

const MISTAKES = `version: 1
name: thumbnails
tasks:
  list: { run: ls photos, output: lines }
  resize:
    needs: [lst]
    foreach: "\${{ tasks.list.results.stdout }}"
    run: convert "\${{ item }}" -resize 200 "small/\${{ item }}"
    timeout: 5
  check: { needs: [publish], run: ls small }
  publish: { needs: [check], runs: ./publish.sh }
`;

const PHOTOS = `version: 1
name: thumbnails
description: Make a thumbnail of every photo
tasks:
  resize:
    foreach: { file: photos.txt }
    run: convert "$ITEM" -resize 200 "small/$ITEM"
    estimate: 2s
`;

/** All pictures, in the order of a first hour. `firstPlan` is the README's. */
export function scenes(firstPlan: string): readonly Scene[] {
  return [
    {
      name: 'question',
      command: 'waveplan run plan.yaml',
      rows: 60,
      files: { ...SOURCES, 'plan.yaml': firstPlan },
      from: /TASK ANALYSIS COMPLETE/,
      play: (terminal) => terminal.waitFor(QUESTION),
    },
    {
      name: 'report',
      command: 'waveplan run plan.yaml --yes',
      rows: 60,
      files: { ...SOURCES, 'plan.yaml': firstPlan },
      from: /PARALLEL EXECUTION COMPLETE/,
      to: /RECOMMENDATIONS/,
      play: finished(0),
    },
    {
      name: 'live',
      command: 'waveplan run nightly.yaml --yes',
      rows: 60,
      files: { 'nightly.yaml': NIGHTLY },
      from: /WAVE 2/,
      play: async (terminal, folder) => {
        await terminal.waitFor(/^▸2 .* 14\d of 240, 2 retried[\s\S]*8 of 8 agents at work, .*s so far[\s\S]*slowest now/m);
        writeFileSync(join(folder, 'go'), '');
      },
    },
    {
      name: 'failure',
      command: 'waveplan run nightly.yaml --yes',
      rows: 60,
      files: { 'nightly.yaml': TESTS },
      from: /RECOMMENDATIONS/,
      play: finished(1),
    },
    {
      name: 'mistakes',
      command: 'waveplan validate plan.yaml',
      rows: 40,
      files: { 'plan.yaml': MISTAKES },
      play: finished(2),
    },
    {
      name: 'what-if',
      command: 'waveplan run plan.yaml',
      rows: 60,
      files: { 'plan.yaml': PHOTOS, 'photos.txt': Array.from({ length: 400 }, (_, at) => `p${at}.jpg\n`).join('') },
      from: /Ready to execute/,
      play: async (terminal) => {
        await terminal.waitFor(QUESTION);
        terminal.type('what-if\r');
        await terminal.waitFor(/the decided count[\s\S]*\(yes\/no\)$/);
      },
    },
  ];
}

function finished(code: number): Scene['play'] {
  return async (terminal) => {
    const ended = await terminal.exit;
    if (ended !== code) throw new Error(`the command ended with ${ended} in place of ${code}`);
  };
}
