import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cleanEnv, MAIN } from '../support/cli.js';
import { type Cell, record } from './recording.js';
import { COLUMNS, type Scene } from './scenes.js';
import { terminalSvg } from './svg.js';

/** Plays a scene with the built command in a folder of its own, and returns its picture. */
export async function takePicture(scene: Scene): Promise<string> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'waveplan-picture-')));
  try {
    for (const [name, text] of Object.entries(scene.files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { NO_COLOR: _, ...env } = cleanEnv({ LANG: 'C.UTF-8' });
    const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: folder, env });
    git('init', '-q', '-b', 'main');
    git('config', 'user.name', 'A user');
    git('config', 'user.email', 'user@example.org');
    git('add', '-A');
    git('commit', '-q', '-m', 'Start');
    const [, ...args] = scene.command.split(' ');
    const terminal = record({
      command: [process.execPath, MAIN, ...args],
      cwd: folder,
      env,
      columns: COLUMNS,
      rows: scene.rows,
    });
    let lines: readonly (readonly Cell[])[];
    try {
      await scene.play(terminal, folder);
      lines = terminal.lines();
    } finally {
      terminal.end();
      await terminal.exit;
    }
    return terminalSvg(cropped(lines, scene), { title: scene.command, columns: COLUMNS });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the line, or the box's upper edge, that `from` names, to the line before the box's row that `to` names. */
function cropped(lines: readonly (readonly Cell[])[], { from, to }: Scene): readonly (readonly Cell[])[] {
  const texts = lines.map((cells) =>
    cells
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
  const start = from === undefined ? 0 : texts.findIndex((text) => from.test(text));
  const end = to === undefined ? lines.length : texts.findIndex((text) => to.test(text));
  if (start < 0 || end < 0) throw new Error(`the screen never showed ${start < 0 ? from : to}`);
  const edge = (row: number) => (/^[╔╠]/.test(texts[row - 1] ?? '') ? row - 1 : row);
  return lines.slice(edge(start), edge(end));
}
