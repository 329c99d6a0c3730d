import { describe, expect, it } from 'vitest';
import { waveplan } from '../support/cli.js';
import { checkpointsOf, onlyRun, repository } from '../support/repository.js';

const HEAD = 'version: 1\nname: x\nbackup: none\n';

describe('a plan that is valid and probably not meant', () => {
  it('is run with warnings at the place, which change neither exit code nor values', async () => {
    const plan = `${HEAD}env: { FROM: 3.10 }
tasks:
  build:
    foreach: { matrix: { python: [3.9, 3.10, "3.11"], include: [{ "full name": x }] } }
    run: echo "$ITEM_python $FROM"
`;
    const folder = repository({ 'plan.yaml': plan });
    const checked = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expect(checked).toMatchObject({ code: 0, stdout: 'plan.yaml: valid (1 task in 1 wave)\n' });
    expect(checked.stderr).toContain(`plan.yaml:7:40 PLAN-QUOTES warning: 3.10 reads as 3.1
      foreach: { matrix: { python: [3.9, 3.10, "3.11"], include: [{ "full name": x }] } }
                                         ^~~~
  hint: quote it to keep "3.10"
`);
    expect(checked.stderr).toContain("PLAN-VARIABLE warning: the command of task 'build' cannot read field 'full name'");
    expect(checked.stderr).toMatch(/\n2 warnings\n$/);
    const done = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(done.stderr).toContain('3.10 reads as 3.1');
    const printed = checkpointsOf(onlyRun(folder)).map(({ results }) => (results as { readonly stdout: string }).stdout);
    expect(printed.sort()).toEqual(['3.1 3.10\n', '3.11 3.10\n', '3.9 3.10\n']);
  });

  it('is told of fields that no variable can have when a file of items is read', async () => {
    const plan = `${HEAD}tasks:
  users: { foreach: { file: users.csv }, run: 'echo "$ITEM_id"' }
  listed: { foreach: { file: users.csv }, run: [echo, "\${{ item['E-mail'] }}"] }
`;
    const folder = repository({ 'plan.yaml': plan, 'users.csv': 'id,user id,E-mail\n1,2,a@b\n3,4,c@d\n' });
    const done = await waveplan(['run', 'plan.yaml', '--yes'], { cwd: folder });
    expect(done.code, done.text).toBe(0);
    expect(new Set(done.stdout.match(/the command of task '.*' cannot read/g))).toEqual(
      new Set(["the command of task 'users' cannot read"]),
    );
    expect(done.stdout).toContain("cannot read fields 'user id', 'E-mail'");
  });
});

describe('a command that reads a variable which it cannot have', () => {
  it('is refused, and not where it says what an empty one means or sets it itself', async () => {
    const plan = `${HEAD}params: { root: { default: a } }
env: { PARAM_SET: a }
tasks:
  bad: { run: 'rm -rf "out/$ITEM_user_id" "$PARAM_rot"' }
  fan: { foreach: [{ os: a }], run: 'echo "$ITEM_oss"' }
  good:
    foreach: [{ os: a }]
    env: { ITEM_more: b }
    run: |
      ITEM_own=1; echo "$ITEM_os $INDEX $ATTEMPT $PARAM_root $PARAM_SET $ITEM_more $ITEM_own \${ITEM_none:-none}"
      echo x | while read -r ITEM_line; do echo "$ITEM_line"; done # $ITEM_comment
      awk 'BEGIN { print $ITEM_awk }'; echo \\$ITEM_escaped
      cat <<'EOF'
      $ITEM_literal
      EOF
      sh -c 'echo "$ITEM_inner"'
`;
    const folder = repository({ 'plan.yaml': plan });
    const refused = await waveplan(['validate', 'plan.yaml'], { cwd: folder });
    expect(refused.code).toBe(2);
    const heads = [...refused.stderr.matchAll(/^plan\.yaml:(\d+:\d+) (\S+) (.*)$/gm)].map(([, at, code, message]) => [
      at,
      code,
      message,
    ]);
    expect(heads).toEqual([
      ['7:28', 'PLAN-VARIABLE', "$ITEM_user_id would be empty: the task has no 'foreach'"],
      ['7:44', 'PLAN-VARIABLE', "there is no param 'rot': $PARAM_rot would be empty"],
      ['8:44', 'PLAN-VARIABLE', "an item has no 'oss': $ITEM_oss would be empty"],
    ]);
    expect(refused.stderr).toContain("did you mean '$PARAM_root'?");
    expect(refused.stderr).toContain("did you mean '$ITEM_os'?");
  });
});
