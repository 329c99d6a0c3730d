import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic, SourceRange } from '../../../src/model/diagnostic.js';
import { parsePlan } from '../../../src/plan/parse-plan.js';
import type { ValidPlan } from '../../../src/plan/valid-plan.js';

/** A folder with the module that plans of the tests use, `./tasks/rename.ts`, and a file to include, `./shared.yaml`. */
export function planFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'waveplan-plan-'));
  mkdirSync(join(folder, 'tasks'));
  writeFileSync(join(folder, 'tasks/rename.ts'), 'export default () => null;\nexport const other = () => null;\n');
  writeFileSync(join(folder, 'shared.yaml'), 'version: 1\ntemplates: { shared: { run: x } }\n');
  return folder;
}

/** A text with marks taken out, and the ranges that the marks `«…»` stood around. */
export function unmark(marked: string): { readonly text: string; readonly ranges: readonly SourceRange[] } {
  const ranges: SourceRange[] = [];
  let open: { line: number; column: number } | undefined;
  let text = '';
  let line = 1;
  let column = 1;
  for (const character of marked) {
    if (character === '«') {
      open = { line, column };
    } else if (character === '»') {
      if (open === undefined) throw new Error('a mark is closed that was not opened');
      ranges.push({ ...open, endLine: line, endColumn: column });
    } else {
      text += character;
      line = character === '\n' ? line + 1 : line;
      column = character === '\n' ? 1 : column + character.length;
    }
  }
  return { text, ranges };
}

const folder = planFolder();

/** The diagnostics of a plan; none where it is valid. */
export function diagnose(text: string, params: Readonly<Record<string, string>> = {}): readonly Diagnostic[] {
  const parsed = parsePlan(text, { file: join(folder, 'plan.yaml'), displayName: 'plan.yaml', params });
  return parsed.ok ? [] : parsed.error;
}

/** A plan that must be valid. */
export function valid(text: string, params: Readonly<Record<string, string>> = {}): ValidPlan {
  const parsed = parsePlan(text, { file: join(folder, 'plan.yaml'), displayName: 'plan.yaml', params });
  if (!parsed.ok)
    throw new Error(parsed.error.map((one) => `${one.range?.line}:${one.range?.column} ${one.code} ${one.message}`).join('\n'));
  return parsed.value;
}

/** A plan around the given tasks, in YAML indented by two. */
export function planOf(tasks: string, rest = ''): string {
  return `version: 1\nname: x\n${rest}tasks:\n${tasks}`;
}
