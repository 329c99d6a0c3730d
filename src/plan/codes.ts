/**
 * What can be wrong with a plan, by the stable code that its diagnostics carry (behind `PLAN-`) and in a sentence
 * for the README's list.
 */
export const PROBLEM_CODES = {
  FILE: 'the file cannot be read: missing, a folder, too large, or not UTF-8',
  EMPTY: 'the file holds nothing',
  YAML: 'the YAML is broken: indentation, quotes, an unknown tag, a number that cannot be held exactly',
  DEPTH: 'values are nested too deeply',
  ALIAS: 'an alias that is unknown, contains itself, or multiplies the file beyond bounds',
  'DUPLICATE-KEY': 'a key stands twice in one mapping',
  'UNKNOWN-KEY': 'a key that the format does not have',
  'MISSING-KEY': 'a required key is not there',
  TYPE: 'a value is of another type than its key takes',
  VALUE: 'a value that its key does not take: a duration without a unit, a number out of range, a word not in the list',
  NAME: 'a name of a task, phase, param or variable with characters that names do not have, or used twice',
  INCLUDE: '`include` names a file that cannot be read or leads back to itself, or an included file has a key of the plan alone',
  TEMPLATE: '`template` names no template, or templates build on one another in a circle',
  'RUN-USES': 'a task has neither `run` nor `uses`, or has both',
  'SHELL-TEMPLATE': '`${{` in text for a shell, which is never templated',
  VARIABLE: 'a command reads a `$PARAM_…`, `$ITEM…` or `$INDEX` that it does not get; a warning where a field has no variable',
  QUOTES: 'a warning: without quotes, a value reads as another text, such as 3.1 for `3.10`',
  NEEDS: '`needs` names a task that does not exist, the task itself, or one task twice',
  CYCLE: 'tasks need each other in a circle',
  EXPRESSION: 'an expression does not parse, does not fit its types, or names something that does not exist',
  READS: 'an expression reads a task that is not among the needs, direct or indirect',
  FINALLY: 'a task under `finally` has `needs`, `foreach` or `batch`',
  PARAM: 'a param has no value, or one of another type, or is not declared',
  SECRET: 'an argument of a command would hold a secret, for everybody to see in the list of processes',
  REQUEST: '`request` asks for an impossible number of agents, or names no task',
  MODULE: '`uses` names no module file that exists',
} as const;

/** The part of a diagnostic's code behind `PLAN-` (or `METHODOLOGY-`). */
export type ProblemCode = keyof typeof PROBLEM_CODES;
