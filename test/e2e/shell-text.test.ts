import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, tempFolder, writeFiles } from '../support/repository.js';

/** Long enough for Node to start it, since a launcher takes shorter orders only. */
const LONG = 'x'.repeat(40_000);

describe('text for a shell', () => {
  it('ends at the first command that fails, however it is started', async () => {
    const folder = tempFolder();
    writeFiles(folder, {
      'plan.yaml': `version: 1
name: shell
backup: none
tasks:
  lines: { run: "false\\ncp nosuch there\\ntouch deployed", retries: { max: 0 } }
  own-shell: { run: "echo $$; false; touch deployed" }
  long: { run: ": ${LONG}\\nfalse\\ntouch deployed" }
  directory: { run: "(cd nowhere 2>/dev/null; touch deployed); touch deployed" }
  tested: { run: "if false; then :; fi; false || true; ! true; false | true; echo here" }
  switched-off: { run: "set +e; false; echo here" }
  list: { run: [sh, -c, "false; echo here"] }
finally:
  clean: { run: "false; touch deployed" }
`,
    });
    const done = await waveplan(['run', 'plan.yaml', '-y', '-k', '--retries', '0', '--overhead', '1ms'], { cwd: folder });
    expect(done.code, done.text).toBe(1);
    expect(existsSync(join(folder, 'deployed'))).toBe(false);
    const found = Object.fromEntries(
      checkpointsOf(onlyRun(folder)).map(({ task_id, status, results }) => [task_id, { status, results }]),
    );
    for (const name of ['lines', 'own-shell', 'long', 'directory'])
      expect(found[name], name).toMatchObject({ status: 'failure', results: { exitCode: name === 'directory' ? 2 : 1 } });
    for (const name of ['tested', 'switched-off', 'list'])
      expect(found[name], name).toMatchObject({ status: 'success', results: { stdout: 'here\n' } });
  });
});
