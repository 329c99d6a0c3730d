import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanEnv, MAIN, waveplan } from '../support/cli.js';
import { describeWith } from '../support/programs.js';
import { repository } from '../support/repository.js';

const PLAN = `version: 1
name: watched
backup: none
agents: 4
tasks:
  list: { phase: Analysis, run: 'seq 1 12', output: lines }
  each:
    phase: A phase with a name that takes room
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    run: '[ "$ITEM" -le 4 ] || { touch waiting; while [ ! -e go ]; do sleep 0.05; done; }; [ "$ITEM" != 2 ] || { echo "two said this" >&2; exit 3; }'
  last: { phase: Summary, needs: [each], run: 'true' }
`;

describeWith('tmux')('in a terminal', () => {
  it.each([40, 80, 200])('of %i columns, what moves stays in its place and leaves nothing behind', async (columns) => {
    const folder = repository({ 'plan.yaml': PLAN });
    const socket = join(folder, 'tmux.sock');
    const tmux = (...args: readonly string[]) =>
      execFileSync('tmux', ['-S', socket, ...args], {
        encoding: 'utf8',
        env: { ...cleanEnv(), LANG: 'C.UTF-8', TERM: 'xterm-256color' },
      });
    const command = `'${process.execPath}' '${MAIN}' run plan.yaml --yes --overhead 3ms; echo "ended: $?"; read -r line`;
    tmux('-u', 'new-session', '-d', '-x', String(columns), '-y', '40', '-s', 'watch', '-c', folder, command);
    const screen = async (shows: RegExp): Promise<string> => {
      for (;;) {
        const shown = tmux('capture-pane', '-p', '-S', '-', '-t', 'watch');
        if (shows.test(shown)) return shown;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    try {
      // What failed waits for the rest of its wave, and is then tried again.
      const during = await screen(/^▸2 A .* 25% 3(?: of |\/)12[\s\S]*^4 of 4 agents at work/m);
      // One frame, however often it was drawn: a line for each wave, the figures, and what is slow.
      expect(during.match(/^[ ▸]\d .*[█░]{4}/gm)).toHaveLength(3);
      expect(during).toMatch(/^▸2 A .*█+░+ +25% 3(?: of |\/)12/m);
      expect(during.match(/agents at work/g)).toHaveLength(1);
      writeFileSync(join(folder, 'go'), '');
      const after = await screen(/ended: \d/);
      expect(after).not.toMatch(/[█░]{4}|agents at work,/);
      expect(after).toContain('ended: 1');
      // Failures are the last thing on the screen.
      expect(after.slice(after.lastIndexOf('╝'))).toContain('two said this');
      for (const line of after.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    } finally {
      tmux('kill-server');
    }
  });
});

it('in CI, and where output is no terminal, nothing is redrawn', async () => {
  const folder = repository({ 'plan.yaml': PLAN, go: '' });
  const done = await waveplan(['run', 'plan.yaml', '--yes', '--overhead', '3ms', '--verbose'], {
    cwd: folder,
    env: { CI: 'true' },
  });
  expect(done.stdout).not.toMatch(/\u001b|[█░]/);
  // Every subtask is told of, with what it said.
  expect(done.stdout.match(/^[✅❌] each\[\d+\]/gmu)).toHaveLength(12);
  expect(done.stdout).toContain('❌ each[1]: exit code 3: two said this\n   │ two said this\n');
  expect(done.code).toBe(1);
});
