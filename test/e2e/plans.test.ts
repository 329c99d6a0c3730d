import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, waveplan } from '../support/cli.js';
import { checkpointsOf, git, repository, tempFolder } from '../support/repository.js';

/** The records of the last run in a state folder. */
function lastRun(stateDir: string) {
  const runs = join(stateDir, 'runs');
  const run = readdirSync(runs).sort().at(-1) ?? '';
  const report = JSON.parse(readFileSync(join(runs, run, 'report.json'), 'utf8'));
  return { checkpoints: checkpointsOf(join(runs, run)), report };
}

describe('plans/quickstart.yaml', () => {
  it('measures the declarations of the installed packages, by two methods that agree, and writes nothing beside its state', async () => {
    // On a repository of its own: the project's may be in any state, and its refs are not a test's to write.
    const folder = repository({ 'package.json': '{}' });
    const state = join(folder, '.waveplan');
    mkdirSync(join(folder, 'node_modules'));
    for (const name of ['ajv', 'yaml', 'vitest'])
      execFileSync('cp', ['-rL', join(PROJECT, 'node_modules', name), join(folder, 'node_modules', name)]);
    git(folder, 'add', '-A', '-f');
    git(folder, 'commit', '-qm', 'Packages');
    const done = await waveplan(['run', join(PROJECT, 'plans/quickstart.yaml'), '--yes', '--cwd', folder], { cwd: PROJECT });
    expect(done.code, done.text).toBe(0);
    expect(git(folder, 'status', '--porcelain')).toBe('');
    const { checkpoints, report } = lastRun(state);
    // A third method: find(1).
    const files = execFileSync('find', ['node_modules', '-name', '*.d.ts', '-o', '-name', '*.d.mts', '-o', '-name', '*.d.cts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const count = files.trim().split('\n').length;
    expect(count).toBeGreaterThan(50);
    const analysed = checkpoints
      .filter(({ task_id }) => task_id.startsWith('analyse['))
      .flatMap(({ results }) => (results as { files: unknown[] }).files);
    expect(analysed).toHaveLength(count);
    expect(report.waves).toHaveLength(4);
    expect(done.stdout).toContain(`${count} files`);
  });
});

describe('plans/add-docs.yaml', () => {
  it('documents every function of the playground, changes nothing else, and has nothing to do the second time', async () => {
    const folder = join(tempFolder(), 'small-library');
    execFileSync('sh', [join(PROJECT, 'plans/make-playground.sh'), folder]);
    const head = git(folder, 'rev-parse', 'HEAD');
    const run = () => waveplan(['run', join(PROJECT, 'plans/add-docs.yaml'), '--yes', '--cwd', folder], { cwd: PROJECT });
    const first = await run();
    expect(first.code, first.text).toBe(0);
    // Added lines only, and every one of them a comment.
    const diff = git(folder, 'diff', head.trim(), '--unified=0');
    const changed = diff.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line));
    expect(changed.length).toBeGreaterThan(50);
    expect(changed.filter((line) => !/^\+\s*(\/\*\*|\*)/.test(line))).toEqual([]);
    const { checkpoints } = lastRun(join(folder, '.waveplan'));
    expect(checkpoints.filter(({ task_id }) => task_id.startsWith('document[')).length).toBeGreaterThanOrEqual(3);

    git(folder, 'commit', '-qam', 'Documented');
    const second = await run();
    expect(second.code, second.text).toBe(0);
    expect(git(folder, 'status', '--porcelain')).toBe('');
    expect(second.stdout).toContain('Nothing to do');
  });
});
