import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellArgument } from '../../../src/plan/shell-check.js';
import { shellVariables } from '../../../src/plan/shell-text.js';

/** Names that a text reads, each as it is written there. */
function usesOf(text: string): readonly string[] {
  return shellVariables(text).uses.map(({ start, end }) => text.slice(start, end));
}

describe('the variables that a text for a shell reads', () => {
  it.each([
    ['echo $A "$B" ${C} "x${D}y"', ['$A', '$B', '${C}', '${D}']],
    [`echo '$A' \\$B "\\$C" '"$D"' $'it\\'s $E' $F`, ['$F']],
    [`echo "it's $A" 'a'"$B"'c'`, ['$A', '$B']],
    ['echo ${A:-x} ${B-x} ${C:=x} ${D=x} ${E:+x} ${F+x} ${G:?x} ${H?x}', []],
    ['echo ${A:-$B} "${C:-"$D"}" ${#E} ${F%.*} ${G##*/} ${H/a/b} ${I:1}', ['$B', '$D', '${#E}', '${F', '${G', '${H', '${I']],
    ['echo "$(cat "$A" | grep \'$B\')" `echo $C` $D', ['$A', '$C', '$D']],
    ['echo $((A + B * 2)) $(( (C) )) "$((D))" $((E = 1))', ['A', 'B', 'C', 'D']],
    ["# don't $A\necho $B # it's $C\necho a#$D", ['$B', '$D']],
    ["cat <<EOF\nit's $A \\$B\nEOF\necho $C", ['$A', '$C']],
    ["cat <<'EOF' | tr a b\n$A\nEOF\necho $B", ['$B']],
    ['cat <<-"EOF"\n\t$A\n\tEOF\necho $B', ['$B']],
    ['cat <<< "$A"', ['$A']],
    ['echo $1 $@ $? $$ $ "$"', []],
    ['case $A in a) echo $B ;; *) echo $C ;; esac', ['$A', '$B', '$C']],
  ])('%s', (text, uses) => {
    expect(usesOf(text)).toEqual(uses);
  });

  it.each([
    ['A=1; B="$X" C=2 make; export D E=1', ['A', 'B', 'C', 'D', 'E']],
    ['while read -r A B; do x; done; for C in 1 2; do D=$C; done', ['A', 'B', 'C', 'D']],
    ['if A=$(x); then B=1; fi; f() { local C=1; }; ( D=1 )', ['A', 'B', 'C', 'D']],
    [': ${A:=1} ${B=2} $((C = 1)) $((D += 1))', ['A', 'B', 'C', 'D']],
    ['env A=1 x && ! B=1 x', ['A', 'B']],
  ])('%s sets variables itself', (text, names) => {
    const { sets, setsOthers } = shellVariables(text);
    expect(names.filter((name) => !sets.has(name))).toEqual([]);
    expect(setsOthers).toBe(false);
  });

  it('does not take an argument for an assignment, and knows when text that is not here may set anything', () => {
    expect(shellVariables('echo A=$A "B=$B"').sets).toEqual(new Set());
    for (const text of ['. ./env.sh; echo $A', 'source env', 'x && eval "$B"'])
      expect(shellVariables(text).setsOthers).toBe(true);
  });

  it.each([
    [['sh', '-c', 'x'], 2],
    [['/bin/bash', '-euo', 'pipefail', '-c', 'x', 'a'], 4],
    [['bash', '-ec', 'x'], 2],
    [['bash', 'script.sh', '-c', 'x'], undefined],
    [['sh', '-e', 'script.sh'], undefined],
    [['python3', '-c', 'x'], undefined],
    [['sh', '-c'], undefined],
  ])('is the argument of %j that a shell runs', (argv, position) => {
    expect(shellArgument(argv)).toBe(position);
  });

  it('never throws, and names only what is there, whatever the text', () => {
    const pieces = [
      '$A',
      '${A}',
      '"',
      "'",
      '`',
      '$(',
      '$((',
      '(',
      ')',
      '))',
      '}',
      '\\',
      '\n',
      ' ',
      '<<EOF',
      'EOF',
      '#',
      'A=',
      '${A:-',
      ';',
      'x',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        for (const { name, start, end } of shellVariables(text).uses) expect(text.slice(start, end)).toContain(name);
      }),
    );
  });

  it('reads no variable that the shell itself does not ask for', () => {
    const pieces = [
      '$A',
      '"$A"',
      "'$A'",
      '\\$A',
      '"\\$A"',
      '${A}',
      '${A:-x}',
      '$(echo "$A")',
      '$((A))',
      '"it\'s $A"',
      '# $A\n',
      ' ',
      '.',
      ';echo ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = `echo ${parts.join('')}`;
        const { uses } = shellVariables(text);
        // Under -u a shell refuses to read what is not set.
        const shell = spawnSync('bash', ['-uc', text], { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } });
        if (/syntax error|unexpected EOF|not found/.test(shell.stderr)) return;
        expect(uses.length > 0, text).toBe(/A: unbound variable/.test(shell.stderr));
      }),
      { numRuns: 100 },
    );
  });
});
