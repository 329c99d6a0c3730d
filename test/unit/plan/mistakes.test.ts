import { describe, expect, it } from 'vitest';
import { PROBLEM_CODES } from '../../../src/plan/codes.js';
import { diagnose, planOf, unmark, valid } from './marked-plan.js';

/** Code, plan with the expected place between marks, and a word that message or hint must have. */
type Mistake = readonly [code: string, plan: string, says: RegExp];

const TASK = '  t: { run: x }\n';
const MODULE = 'uses: ./tasks/rename.ts';

/** A task `t` that reads what the built-in action of task `a` comes to. */
const reading = (action: string, input: string, expression: string): string =>
  planOf(`  a: { uses: ${action}, with: { ${input} } }\n  t: { needs: [a], run: [echo, "\${{ ${expression} }}"] }\n`);

const MISTAKES: readonly Mistake[] = [
  // The document
  ['PLAN-YAML', planOf('  t:\n    run: «"»abc\n'), /not closed/],
  ['PLAN-YAML', planOf(`${TASK}  u:\n«\t»run: x\n`), /spaces/],
  ['PLAN-YAML', planOf('  t: { run: «!foo» x }\n'), /Unresolved tag/],
  ['PLAN-YAML', `${planOf(TASK)}---\n«a»: 1\n`, /second document/],
  ['PLAN-YAML', planOf(`  t: { ${MODULE}, foreach: [«12345678901234567890»] }\n`), /too large.*quotes/],
  ['PLAN-YAML', planOf(`  t: { ${MODULE}, foreach: [«.inf»] }\n`), /not a number/],
  ['PLAN-YAML', planOf('  t: { run: x, env: { «[a, b]»: c } }\n'), /key must be text/],
  ['PLAN-YAML', planOf('  t: { run: x, <<: «5» }\n'), /merges mappings/],
  ['PLAN-ALIAS', planOf(`  t: { ${MODULE}, with: «*nope» }\n`), /no anchor '&nope'/],
  ['PLAN-ALIAS', planOf(`  t: { ${MODULE}, with: &w [«*w»] }\n`), /contains itself/],
  ['PLAN-DUPLICATE-KEY', planOf(TASK, '').replace('name: x', 'name: x\n«name»: y'), /twice/],
  ['PLAN-DUPLICATE-KEY', planOf(`${TASK}  «t»: { run: y }\n`), /twice/],
  // The schema
  ['PLAN-UNKNOWN-KEY', planOf(TASK, '«agent»: 5\n'), /did you mean 'agents'/],
  ['PLAN-UNKNOWN-KEY', planOf('  t: { run: x, «depends_on»: [] }\n'), /did you mean 'needs'/],
  ['PLAN-UNKNOWN-KEY', planOf(TASK, 'defaults: { retries: { «backof»: 1s } }\n'), /did you mean 'backoff'/],
  ['PLAN-UNKNOWN-KEY', planOf(TASK, '«__proto__»: 5\n'), /the keys here are version, name/],
  ['PLAN-UNKNOWN-KEY', planOf(TASK, '«constructor»: 5\n'), /unknown key 'constructor'/],
  ['PLAN-MISSING-KEY', '«name»: x\ntasks:\n  t: { run: x }\n', /version: 1/],
  ['PLAN-MISSING-KEY', '«version»: 1\ntasks:\n  t: { run: x }\n', /no 'name'/],
  ['PLAN-MISSING-KEY', '«version»: 1\nname: x\n', /no 'tasks'/],
  ['PLAN-VALUE', 'version: «2»\nname: x\ntasks:\n  t: { run: x }\n', /must be 1/],
  ['PLAN-VALUE', 'version: 1\nname: x\ntasks: «{}»\n', /'tasks' is empty/],
  ['PLAN-TYPE', '«- a»\n', /must be a mapping, not a list/],
  ['PLAN-TYPE', '«hello»\n', /must be a mapping, not text/],
  ['PLAN-TYPE', planOf('  t: «[a]»\n'), /task 't' must be a mapping/],
  ['PLAN-TYPE', planOf('  t: { run: x, timeout: «5» }\n'), /unit.*200ms/],
  ['PLAN-TYPE', planOf('  t: { run: x, needs: [«[a]»] }\n'), /item 1 of 'needs' must be text/],
  ['PLAN-TYPE', planOf(TASK, 'agents: «1.5»\n'), /whole number/],
  ['PLAN-NAME', planOf('  «"bad name"»: { run: x }\n'), /must begin with a letter/],
  ['PLAN-NAME', planOf(`  «${'a'.repeat(65)}»: { run: x }\n`), /64/],
  ['PLAN-NAME', planOf('  «__proto__»: { run: x }\n'), /must begin with a letter/],
  ['PLAN-NAME', planOf('  t: { run: x, phase: «"*"» }\n'), /'phase' must begin/],
  ['PLAN-NAME', planOf(TASK, 'env: { «A-B»: x }\n'), /letters, digits and '_'/],
  ['PLAN-NAME', planOf(TASK, 'finally: { «t»: { run: x } }\n'), /taken/],
  ['PLAN-VALUE', planOf(TASK, 'type: «files»\n'), /must be one of/],
  ['PLAN-VALUE', planOf(TASK, 'sync: «waves»\n'), /did you mean 'wave'/],
  ['PLAN-VALUE', planOf(TASK, 'limits: { iops: «0» }\n'), /at least 1, not 0/],
  // Built-in actions
  ['PLAN-MISSING-KEY', planOf('  t: { uses: «http/request» }\n'), /needs 'with' \(url\)/],
  ['PLAN-MISSING-KEY', planOf('  t: { uses: «files/glob», with: { cwd: src } }\n'), /no 'patterns'/],
  [
    'PLAN-MISSING-KEY',
    planOf('  t: { uses: files/move, with: { «pairs»: [{ from: a }] } }\n')
      .replace('«pairs»: [{', 'pairs: [«{')
      .replace('from: a }', 'from: a }»'),
    /no 'to'/,
  ],
  ['PLAN-UNKNOWN-KEY', planOf('  t: { uses: files/glob, with: { patterns: x, «ignroe»: y } }\n'), /did you mean 'ignore'/],
  ['PLAN-TYPE', planOf('  t: { uses: files/read, with: { path: «7» } }\n'), /'path' must be text/],
  ['PLAN-VALUE', planOf('  t: { uses: http/request, with: { url: x, method: «Get» } }\n'), /did you mean 'GET'/],
  ['PLAN-VALUE', planOf('  t: { uses: http/request, with: { url: x, timeout: «soon» } }\n'), /duration/],
  ['PLAN-VALUE', planOf('  t: { uses: files/hash, with: { paths: [a], path: «b» } }\n'), /beside its alternative/],
  ['PLAN-MODULE', planOf('  t: { uses: «files/golb» }\n'), /did you mean 'files\/glob'/],
  // Fields of results that are known before the run
  ['PLAN-EXPRESSION', reading('files/glob', 'patterns: x', 'tasks.a.results.«fils»'), /did you mean 'files'/],
  ['PLAN-EXPRESSION', reading('files/glob', 'patterns: x', 'tasks.a.results.files.map(f, f.«name»)'), /a text has no 'name'/],
  [
    'PLAN-EXPRESSION',
    reading('files/hash', 'paths: [x]', 'tasks.a.results.files.map(f, f.«sha»)'),
    /they have path, hash, bytes/,
  ],
  [
    'PLAN-EXPRESSION',
    planOf('  a: { run: x, output: lines }\n  t: { needs: [a], run: [echo, "${{ tasks.a.results.«stdot» }}"] }\n'),
    /did you mean 'stdout'/,
  ],
  [
    'PLAN-EXPRESSION',
    planOf(
      '  a: { uses: files/read, foreach: [x], with: { path: "${{ item }}" } }\n  t: { needs: [a], run: [echo, "${{ tasks.a.results.«text» }}"] }\n',
    ),
    /map\(r, r\.text\)/,
  ],
  [
    'PLAN-EXPRESSION',
    planOf(
      '  a: { uses: files/glob, with: { patterns: x } }\n  t: { needs: [a], foreach: «"${{ tasks.a.results }}"», run: x }\n',
    ),
    /did you mean 'tasks\.a\.results\.files'/,
  ],
  [
    'PLAN-EXPRESSION',
    planOf(
      '  a: { uses: files/hash, with: { paths: [x] } }\n  t: { needs: [a], foreach: "${{ tasks.a.results.files }}", run: [echo, "${{ item.«hsh» }}"] }\n',
    ),
    /did you mean 'hash'/,
  ],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, success: ["results.«code» == 0"] }\n'), /exitCode/],
  // Quantities
  ['PLAN-VALUE', planOf('  t: { run: x, timeout: «"5"» }\n'), /no unit/],
  ['PLAN-VALUE', planOf('  t: { run: x, timeout: «0s» }\n'), /more than 0/],
  ['PLAN-VALUE', planOf('  t: { run: x, timeout: «30d» }\n'), /24 days/],
  ['PLAN-VALUE', planOf('  t: { run: x, estimate: «soon» }\n'), /not a duration/],
  ['PLAN-VALUE', planOf(TASK, 'defaults: { timeout: «1x» }\n'), /not a duration/],
  ['PLAN-VALUE', planOf(TASK, 'defaults: { retries: { backoff: «1x» } }\n'), /not a duration/],
  ['PLAN-VALUE', planOf(TASK, 'limits: { rate: «5/year» }\n'), /not a rate/],
  ['PLAN-VALUE', planOf(TASK, 'limits: { memoryPerAgent: «5X» }\n'), /not a size/],
  ['PLAN-VALUE', planOf(TASK, 'agents: «0»\n'), /at least 1/],
  ['PLAN-VALUE', planOf(TASK, 'agents: «many»\n'), /auto, 50 or 75%/],
  ['PLAN-VALUE', planOf(TASK, 'agents: «"120%"»\n'), /more than 100%/],
  [
    'PLAN-REQUEST',
    planOf(TASK, 'request: Execute this task using «0» parallel agents; x\n')
      .replace(';', ':')
      .replace('request: ', "request: '")
      .replace('x\ntasks', "x'\ntasks"),
    /at least 1/,
  ],
  ['PLAN-REQUEST', planOf(TASK, 'request: >-\n  tidy up\n  using «-4» parallel\n  agents\n'), /at least 1/],
  // Tasks
  ['PLAN-RUN-USES', planOf('  «t»: {}\n'), /neither 'run' nor 'uses'/],
  ['PLAN-RUN-USES', planOf(`  «t»: { run: x, ${MODULE} }\n`), /both/],
  ['PLAN-VALUE', planOf('  t: { run: «""» }\n'), /'run' is empty/],
  ['PLAN-VALUE', planOf('  t: { run: «[]» }\n'), /'run' is empty/],
  ['PLAN-VALUE', planOf('  t: { run: «"a\\0b"» }\n'), /NUL/],
  ['PLAN-VALUE', planOf('  t: { run: x, «with»: 5 }\n'), /input for 'uses'/],
  ['PLAN-VALUE', planOf(`  t: { ${MODULE}, «output»: json }\n`), /for commands/],
  ['PLAN-VALUE', planOf('  t: { run: x, «batch»: 5 }\n'), /without 'foreach'/],
  ['PLAN-SHELL-TEMPLATE', planOf('  t: { run: "echo «${{ item }}» x" }\n'), /\$ITEM.*run: \[echo, "\$\{\{ item \}\}"\]/],
  ['PLAN-SHELL-TEMPLATE', planOf('  t:\n    run: |\n      echo a\n        echo «${{ params.a }}»\n'), /never templated/],
  ['PLAN-MODULE', planOf('  t: { uses: «./tasks/renam.ts» }\n'), /did you mean 'rename.ts'/],
  ['PLAN-MODULE', planOf('  t: { uses: «tasks/rename.ts» }\n'), /did you mean '\.\/tasks\/rename\.ts'/],
  ['PLAN-MODULE', planOf('  t: { uses: «files/glop» }\n'), /did you mean 'files\/glob'/],
  ['PLAN-MODULE', planOf('  t: { uses: «./tasks» }\n'), /must end in/],
  ['PLAN-MODULE', planOf(`  t: { uses: «./${'x'.repeat(400)}.ts» }\n`), /no module/],
  ['PLAN-MODULE', planOf('  t: { uses: «"./tasks/rename.ts#1"» }\n'), /export/],
  ['PLAN-MODULE', planOf('  t: { uses: «"./tasks/${{ params.a }}.ts"» }\n'), /holds no expressions/],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: «files» }\n'), /must be a list/],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: «env.PATH» }\n'), /did you mean "\$\{\{ env.PATH \}\}"/],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: «"a ${{ env.A }}"» }\n'), /one whole expression/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, foreach: [a, «"${{ env.A }}"»] }\n'), /not templated/],
  ['PLAN-FINALLY', planOf(TASK, 'finally: { c: { run: x, «needs»: [t] } }\n'), /'needs'/],
  ['PLAN-FINALLY', planOf(TASK, 'finally: { c: { run: x, «foreach»: [t] } }\n'), /'foreach'/],
  // Needs
  ['PLAN-NEEDS', planOf('  scan: { run: x }\n  t: { run: x, needs: [«scn»] }\n'), /did you mean 'scan'/],
  ['PLAN-NEEDS', planOf('  t: { run: x, needs: [«t»] }\n'), /needs itself/],
  ['PLAN-NEEDS', planOf('  a: { run: x }\n  t: { run: x, needs: [a, «a»] }\n'), /twice/],
  ['PLAN-NEEDS', planOf('  t: { run: x, needs: [«constructor»] }\n'), /no task 'constructor'/],
  ['PLAN-NEEDS', planOf('  t: { run: x, needs: [«c»] }\n', 'finally: { c: { run: x } }\n'), /'finally'/],
  ['PLAN-CYCLE', planOf('  a: { run: x, needs: [«b»] }\n  b: { run: x, needs: [a] }\n'), /a → b → a/],
  // Expressions
  ['PLAN-EXPRESSION', planOf('  t: { run: [x, "ü ${{ «nope».a }}"] }\n'), /unknown variable: nope/],
  ['PLAN-EXPRESSION', planOf('  t: { run: [x, "${{ «itme» }}"], foreach: [1] }\n'), /did you mean 'item'/],
  ['PLAN-EXPRESSION', planOf('  t: { run: [x, "${{ «item» }}"] }\n'), /'foreach'/],
  ['PLAN-EXPRESSION', planOf('  t: { run: [x, "${{ «prev» }}"] }\n'), /each/],
  ['PLAN-EXPRESSION', planOf('  t: { run: [x, "«${{» item"] }\n'), /not closed/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, cwd: "${{ 1 + «)» }}" }\n'), /unexpected token/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, env: { A: "${{ «\'a\' + 1» }}" } }\n'), /no such overload/],
  [
    'PLAN-EXPRESSION',
    planOf('  t: { run: x, if: «params.rot» == 1 }\n', 'params: { root: { default: a } }\n'),
    /did you mean 'root'/,
  ],
  [
    'PLAN-EXPRESSION',
    planOf('  t: { run: x, if: «root» == 1 }\n', 'params: { root: { default: a } }\n'),
    /did you mean 'params.root'/,
  ],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, if: «"1 + 1"» }\n').replace('«"1 + 1"»', '"«1 + 1»"'), /true or false, not int/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, success: [results.exitCode == 0, «nope»] }\n'), /unknown variable/],
  ['PLAN-EXPRESSION', planOf('  t:\n    run: x\n    if: >-\n      1 == 1 &&\n      «nope»\n'), /unknown variable/],
  ['PLAN-EXPRESSION', planOf("  t: { run: x, if: '''a'' == «nope»' }\n"), /unknown variable/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, if: "\\"a\\" == «nope»" }\n'), /unknown variable/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, foreach: "${{ «1 + 1» }}" }\n'), /a list, not int/],
  ['PLAN-EXPRESSION', planOf(TASK, 'env: { A: "${{ «tasks».t.results }}" }\n'), /within tasks only/],
  [
    'PLAN-EXPRESSION',
    planOf('  my-t: { run: x }\n  t: { needs: [my-t], run: [x, "${{ tasks.my-«t».results }}"] }\n'),
    /tasks\["my-t"\]/,
  ],
  ['PLAN-EXPRESSION', planOf(`  t: { ${MODULE}, with: { «"\${{ env.A }}"»: 1 } }\n`), /keys are not templated/],
  ['PLAN-READS', planOf('  a: { run: x }\n  t: { run: [x, "${{ «tasks.a».results }}"] }\n'), /add 'a' to needs/],
  [
    'PLAN-READS',
    planOf('  scan: { run: x }\n  t: { run: x, needs: [scan], foreach: "${{ «tasks.scn».results }}" }\n'),
    /did you mean 'scan'/,
  ],
  ['PLAN-READS', planOf(`  t: { run: x, if: "«tasks['t']».results == 1" }\n`), /its own results/],
  ['PLAN-READS', planOf(TASK, 'finally: { c: { run: x, if: «tasks.nope».results == 1 }, d: { run: x } }\n'), /no task 'nope'/],
  // Params
  ['PLAN-PARAM', planOf(TASK, 'params: { «root»: { type: string } }\n'), /--param root/],
  ['PLAN-PARAM', planOf(TASK, 'params: { n: { type: integer, default: «1.5» } }\n'), /not a whole number/],
  ['PLAN-PARAM', planOf(TASK, 'params: { n: { default: «5» } }\n'), /not text.*quotes/],
  ['PLAN-PARAM', planOf(TASK, 'params: { n: { choices: [a, «5»], default: a } }\n'), /choice.*not text.*quotes/],
  [
    'PLAN-PARAM',
    planOf(TASK, 'params: { n: { choices: [fast, slow], default: «fats» } }\n'),
    /one of fast, slow.*did you mean 'fast'/,
  ],
  ['PLAN-PARAM', planOf(TASK, 'params: { «n»: { type: integer, choices: [1, 2] } }\n'), /no value.*one of 1, 2/],
  ['PLAN-VALUE', planOf(TASK, 'params: { n: { default: a, choices: «[]» } }\n'), /'choices' is empty/],
  // Templates
  ['PLAN-TEMPLATE', planOf('  t: { template: «noed» }\n', 'templates: { node: { run: x } }\n'), /did you mean 'node'/],
  ['PLAN-TEMPLATE', planOf('  t: { template: «zzz» }\n', 'templates: { node: { run: x } }\n'), /the templates are node/],
  ['PLAN-TEMPLATE', planOf('  t: { template: «a» }\n'), /declare it/],
  ['PLAN-TEMPLATE', planOf(TASK, 'templates: { a: { template: b }, b: { template: «a» } }\n'), /'a' builds on itself/],
  ['PLAN-TEMPLATE', planOf(TASK, 'templates: { a: { template: «a» } }\n'), /builds on itself/],
  ['PLAN-UNKNOWN-KEY', planOf(TASK, 'templates: { a: { «runn»: b } }\n'), /in template 'a'.*did you mean 'run'/],
  [
    'PLAN-SHELL-TEMPLATE',
    planOf('  t: { template: a }\n  u: { template: a }\n', "templates: { a: { run: 'x «${{ 1 }}»' } }\n"),
    /never templated/,
  ],
  ['PLAN-FINALLY', planOf(TASK, 'templates: { a: { run: x, «needs»: [t] } }\nfinally: { c: { template: a } }\n'), /no 'needs'/],
  ['PLAN-RUN-USES', planOf('  «t»: { template: a }\n', 'templates: { a: { timeout: 1s } }\n'), /does nothing/],
  // Includes
  ['PLAN-INCLUDE', planOf(TASK, 'include: [«./sharde.yaml»]\n'), /no such file.*did you mean 'shared.yaml'/],
  ['PLAN-INCLUDE', planOf(TASK, 'include: «./tasks»\n'), /not a file/],
  ['PLAN-INCLUDE', planOf(TASK, 'include: [«"./${{ params.a }}.yaml"»]\n'), /holds no expressions/],
  [
    'PLAN-INCLUDE',
    planOf('  t: { run: x, needs: [far] }\n  u: { template: far }\n', 'include: [«./far.yaml»]\n'),
    /no such file/,
  ],
  ['PLAN-MISSING-KEY', 'version: 1\nname: x\n«include»: [./shared.yaml]\n', /neither here nor in what is included/],
  ['PLAN-UNKNOWN-KEY', planOf(TASK, '«includes»: [./shared.yaml]\n'), /did you mean 'include'/],
  // Fan-outs
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: «{}» }\n'), /one of 'matrix', 'file' and 'each'/],
  [
    'PLAN-VALUE',
    planOf('  t: { run: x, foreach: { matrix: { a: [1] }, «file»: a.csv } }\n'),
    /one of 'matrix', 'file' and 'each'/,
  ],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: { matrix: { a: [1] }, «format»: csv } }\n'), /no effect without 'file'/],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: { file: «data/users» } }\n'), /does not tell.*one of csv/],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: { file: a, format: «cv» } }\n'), /must be one of csv, tsv/],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: { matrix: «{}» } }\n'), /'matrix' is empty/],
  [
    'PLAN-VALUE',
    planOf('  t: { run: x, foreach: { matrix: { os: [a], exclude: [{ «so»: a }] } } }\n'),
    /no axis 'so'.*|did you mean 'os'/,
  ],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: { matrix: { os: «linux» } } }\n'), /'os' must be a list/],
  ['PLAN-NAME', planOf('  t: { run: x, foreach: { matrix: { «node-version»: [1] } } }\n'), /letters, digits and '_'/],
  [
    'PLAN-VALUE',
    planOf(
      `  t: { run: x, foreach: { matrix: «{ ${['a', 'b', 'c', 'd', 'e'].map((axis) => `${axis}: [${Array(20).fill(1).join(', ')}]`).join(', ')} }» } }\n`,
    ),
    /3,200,000 combinations/,
  ],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, foreach: { matrix: { a: [«"${{ env.A }}"»] } } }\n'), /not templated/],
  [
    'PLAN-EXPRESSION',
    planOf('  t: { run: x, foreach: { matrix: { a: [1], include: [«{ b: "${{ env.A }}" }»] } } }\n'),
    /not templated/,
  ],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, foreach: { matrix: { a: "${{ «1 + 1» }}" } } }\n'), /a list, not int/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, foreach: { file: "${{ «nope» }}.csv" } }\n'), /unknown variable/],
  [
    'PLAN-READS',
    planOf('  a: { run: x }\n  t: { run: x, foreach: { file: "${{ «tasks.a».results.file }}" } }\n'),
    /add 'a' to needs/,
  ],
  // What is known of items
  [
    'PLAN-EXPRESSION',
    planOf('  t: { foreach: { matrix: { os: [a], node: [1] } }, run: [x, "${{ item.«oss» }}"] }\n'),
    /no 'oss'.*did you mean 'os'/,
  ],
  [
    'PLAN-EXPRESSION',
    planOf(`  t: { foreach: { matrix: { os: [a], include: [{ extra: 1 }] } }, run: [x, "\${{ «item['zzz']» }}"] }\n`),
    /an item has os, extra/,
  ],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: { matrix: { os: [a] } }, run: [x, "${{ «item.os + 1» }}"] }\n'), /string \+ int/],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: { file: a.csv }, run: [x, "${{ «item.age + 1» }}"] }\n'), /string \+ int/],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: { file: a.txt }, run: [x, "${{ item.«name» }}"] }\n'), /string/],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: [a, b], run: [x, "${{ «item + 1» }}"] }\n'), /string \+ int/],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: [{ a: 1 }, { b: 1 }], if: "item.«c» == 1", run: x }\n'), /an item has a, b/],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: [a, b], batch: 2, run: [x, "${{ «item + 1» }}"] }\n'), /list/],
  // Variables that text for a shell reads
  [
    'PLAN-VARIABLE',
    planOf('  t: { foreach: { matrix: { os: [a], node: [1] } }, run: echo «$ITEM_oss» }\n'),
    /no 'oss'.*'\$ITEM_os'/,
  ],
  ['PLAN-VARIABLE', planOf('  t: { foreach: [{ a: { b: 1 } }], run: echo «$ITEM_a» }\n'), /an object or a list/],
  ['PLAN-VARIABLE', planOf('  t: { foreach: [{ a: 1 }], batch: 2, run: echo «$ITEM_a» }\n'), /under 'batch'/],
  ['PLAN-VARIABLE', planOf('  t: { foreach: [1, { size: 1 }], run: echo «$ITEM_name» }\n'), /there are \$ITEM_size/],
  ['PLAN-VARIABLE', planOf('  t: { foreach: { file: a.txt }, run: echo «$ITEM_b» }\n'), /read the item as \$ITEM/],
  [
    'PLAN-VARIABLE',
    planOf(
      '  l: { run: ls, output: lines }\n  t: { needs: [l], foreach: "${{ tasks.l.results.stdout }}", run: echo «$ITEM_b» }\n',
    ),
    /an item has no 'b'/,
  ],
  [
    'PLAN-VARIABLE',
    planOf('  t: { run: echo «$PARAM_typo» }\n', 'params: { type: { default: a } }\n'),
    /did you mean '\$PARAM_type'/,
  ],
  ['PLAN-VARIABLE', planOf(`  t: { run: 'rm -rf "out/«\${ITEM_id}»"' }\n`), /no 'foreach'/],
  ['PLAN-VARIABLE', planOf('  t: { run: "echo $((«INDEX» + 1))" }\n'), /no 'foreach'/],
  ['PLAN-VARIABLE', planOf("  t: { run: [bash, -eo, pipefail, -c, 'echo «$ITEM»'] }\n"), /no 'foreach'/],
  ['PLAN-VARIABLE', planOf(TASK, "finally: { last: { run: 'echo «$ITEM»' } }\n"), /no 'foreach'/],
  // Secrets
  ['PLAN-SECRET', planOf('  t: { run: [curl, -H, "token: ${{ «env.TOKEN» }}"] }\n', 'secrets: [TOKEN]\n'), /\$TOKEN/],
  [
    'PLAN-SECRET',
    planOf(`  t: { run: [echo, "\${{ env.A + «env['TOKEN']» }}"], env: { B: "\${{ env.TOKEN }}" } }\n`, 'secrets: [TOKEN]\n'),
    /argument/,
  ],
  ['PLAN-VALUE', planOf(TASK, 'secrets: [«API-TOKEN»]\n'), /letters, digits and '_'/],
  ['PLAN-VALUE', planOf(TASK, 'secrets: «[A, A]»\n'), /equal/],
  // Pairs, and what comes later
  ['PLAN-VALUE', planOf(TASK, 'pools: { a: 1, b: { max: 1, rate: «often» } }\n'), /often/],
  ['PLAN-VALUE', planOf(TASK, 'failure: «{ minor: 20%, major: 10% }»\n'), /must rise/],
  ['PLAN-VALUE', planOf(TASK, 'failure: { critical: «150%» }\n'), /more than 100%/],
  ['PLAN-VALUE', planOf(TASK, 'defaults: { retries: { on: [«"/(/"»] } }\n'), /not a regular expression/],
  ['PLAN-VALUE', planOf('  t: { run: x, retries: { on: [«0»] } }\n'), /1/],
  ['PLAN-VALUE', planOf('  t: { run: x, subtaskTimeout: «0s» }\n'), /more than 0/],
  ['PLAN-VALUE', planOf('  t: { run: x, pool: «apy» }\n', 'pools: { api: 1 }\n'), /did you mean 'api'/],
  ['PLAN-VALUE', planOf('  t: { run: x, pool: { name: a, weight: «9» } }\n', 'pools: { a: 4 }\n'), /has room for 4/],
  [
    'PLAN-VALUE',
    planOf('  t: { run: x, pool: { name: a, weight: «3» } }\n', 'pools: { a: { max: 2, rate: 1/s } }\n'),
    /room for 2/,
  ],
  [
    'PLAN-VALUE',
    planOf('  t: { template: b }\n', 'pools: { a: 1 }\ntemplates: { b: { run: x, pool: { name: a, weight: «2» } } }\n'),
    /room for 1/,
  ],
  ['PLAN-VALUE', planOf(TASK, 'pools: { a: 1 }\nfinally: { c: { run: x, pool: { name: a, weight: «2» } } }\n'), /room for 1/],
  ['PLAN-TYPE', planOf('  t: { run: x, inputs: «a» }\n'), /list/],
  ['PLAN-EXPRESSION', planOf('  t: { run: x, outputs: ["a/${{ «item» }}"] }\n'), /item/],
  ['PLAN-FINALLY', planOf(TASK, 'finally: { c: { run: x, «inputs»: [a] } }\n'), /has no 'inputs'/],
  ['PLAN-READS', planOf('  a: { run: x }\n  t: { run: x, foreach: { each: «a» } }\n'), /add 'a' to needs/],
  [
    'PLAN-READS',
    planOf('  scan: { run: x }\n  t: { run: x, needs: [scan], foreach: { each: «scam» } }\n'),
    /did you mean 'scan'/,
  ],
  ['PLAN-VALUE', planOf('  a: { run: x }\n  t: { run: x, needs: [a], foreach: { each: a }, «batch»: 2 }\n'), /each/],
  ['PLAN-EXPRESSION', planOf('  t: { foreach: [1], run: [echo, "${{ «prev» }}"] }\n'), /each/],
];

/** What is probably not meant: a plan with all of it is valid. Each mark is one warning. */
const WARNINGS: typeof MISTAKES = [
  [
    'PLAN-QUOTES',
    planOf(
      '  t: { foreach: { matrix: { v: [«3.10», «007», «1e3», «0x1F», «+5», «True», 3.1, 7, 1_000, "3.10", yes, null] } }, run: x }\n',
    ),
    /^(3.10 reads as 3.1 quote it to keep "3.10"|007 reads as 7 .*|1e3 reads as 1000 .*|0x1F reads as 31 .*|\+5 reads as 5 .*|True reads as true .*)$/,
  ],
  [
    'PLAN-QUOTES',
    planOf('  t: { foreach: { matrix: { v: [a], include: [{ v: «1.0» }], exclude: [{ v: «0o7» }] } }, run: x }\n'),
    /reads as (1|7) /,
  ],
  ['PLAN-QUOTES', planOf('  t: { foreach: [{ a: [«1.50»] }, «.5», 12:30], run: x }\n'), /reads as (1.5|0.5) /],
  [
    'PLAN-QUOTES',
    planOf('  t: { run: x, env: { A: 3.10 } }\n', 'params: { p: { type: number, default: «1.50», choices: [1.5, «2.0»] } }\n'),
    /write (1.5|2); or, to keep/,
  ],
  [
    'PLAN-VARIABLE',
    planOf('  t: { run: x, foreach: [{ ok: 1 }, { «"user id"»: 1, E-mail: a, ok: 1 }] }\n'),
    /fields 'user id', 'E-mail'.*item\["user id"\]/,
  ],
  ['PLAN-VALUE', planOf('  t: { run: x, foreach: «[]» }\n'), /no subtasks/],
  [
    'PLAN-EXPRESSION',
    planOf(
      `  a: { run: x }\n  b: { run: x }\n  t: { needs: { a: optional, b: required }, foreach: "\${{ [tasks.a.results.stdout] }}", run: [x, "\${{ «tasks.a.results.stdout» }}\${{ tasks.b.results.stdout }}", "\${{ tasks.a.results == null ? '' : tasks.a.results.stdout }}"] }\n`,
    ),
    /'a' are null when it is skipped.*tasks.a.results == null/,
  ],
];

describe('one mistake, one diagnostic, with its code and exact place', () => {
  it.each(MISTAKES)('%s in %j', (code, marked, says) => {
    const { text, ranges } = unmark(marked);
    const found = diagnose(text);
    expect(found.map((one) => [one.code, one.range])).toEqual([[code, ranges[0]]]);
    expect(`${found[0]?.message} ${found[0]?.hint}`).toMatch(says);
    expect(found[0]?.file).toBe('plan.yaml');
  });

  it.each(WARNINGS)('only warns: %s in %j', (code, marked, says) => {
    const { text, ranges } = unmark(marked);
    const found = valid(text).warnings;
    expect(found.map((one) => [one.code, one.severity, one.range])).toEqual(ranges.map((range) => [code, 'warning', range]));
    for (const { message, hint } of found) expect(`${message} ${hint}`).toMatch(says);
  });

  it('covers every code that a text can bring about', () => {
    const covered = new Set([...MISTAKES, ...WARNINGS].map(([code]) => code.slice('PLAN-'.length)));
    const elsewhere = ['FILE', 'EMPTY', 'DEPTH'];
    expect([...covered, ...elsewhere].sort()).toEqual(Object.keys(PROBLEM_CODES).sort());
  });
});

describe('many mistakes', () => {
  it('are told all at once, in the order of the file', () => {
    const { text, ranges } = unmark(`version: 1
name: seven
params: { root: { type: string, default: media } }
«taks»: {}
tasks:
  scan:
    run: ls "«\${{ params.root }}»"
    timeout: «5»
  rename:
    needs: [«scn»]
    uses: «./tasks/renam.ts»
    with: { file: "\${{ «params.rot» }}" }
  a: { needs: [«b»], run: echo a }
  b: { needs: [a], run: echo b }
`);
    const found = diagnose(text);
    expect(found.map((one) => one.code)).toEqual([
      'PLAN-UNKNOWN-KEY',
      'PLAN-SHELL-TEMPLATE',
      'PLAN-TYPE',
      'PLAN-NEEDS',
      'PLAN-MODULE',
      'PLAN-EXPRESSION',
      'PLAN-CYCLE',
    ]);
    expect(found.map((one) => one.range)).toEqual(ranges);
  });

  it('of one kind are told for every task', () => {
    const found = diagnose(
      planOf(Array.from({ length: 50 }, (_, index) => `  t${index}: { run: x, needs: [nope${index}] }\n`).join('')),
    );
    expect(found.map((one) => one.code)).toEqual(Array(50).fill('PLAN-NEEDS'));
  });

  it('of syntax are told once a line: what follows on it is a consequence', () => {
    const found = diagnose(
      'version: 1\nname: x\ntasks:\n  t: { run: x, if: tasks["t"].results == 1 }\n  u: { run: x, if: params["t"] }\n',
    );
    expect(found.map((one) => [one.code, one.range?.line])).toEqual([
      ['PLAN-YAML', 4],
      ['PLAN-YAML', 5],
    ]);
  });

  it('behind a syntax error are left out where they could be its consequence', () => {
    const found = diagnose('version: 1\nname: x\nfoo: 1\ntasks:\n  t:\n    needs: [a, b\n    run: x\n');
    expect(found.map((one) => one.code)).toEqual(['PLAN-UNKNOWN-KEY', 'PLAN-YAML']);
  });
});

describe('a circle', () => {
  it('lists every edge with its place', () => {
    const { text, ranges } = unmark(
      planOf(
        '  a: { run: x, needs: [«b»] }\n  b: { run: x, needs: [«c»] }\n  c: { run: x, needs: [«a»] }\n  d: { run: x, needs: [a] }\n',
      ),
    );
    const [found, ...others] = diagnose(text);
    expect(others).toEqual([]);
    expect(found?.related).toEqual([
      { message: "'a' needs 'b'", file: 'plan.yaml', range: ranges[0] },
      { message: "'b' needs 'c'", file: 'plan.yaml', range: ranges[1] },
      { message: "'c' needs 'a'", file: 'plan.yaml', range: ranges[2] },
    ]);
  });

  it('is one diagnostic each, also where two share a task', () => {
    const found = diagnose(planOf('  a: { run: x, needs: [b] }\n  b: { run: x, needs: [a, c] }\n  c: { run: x, needs: [b] }\n'));
    expect(found.map((one) => one.message)).toEqual([
      'tasks need each other in a circle: a → b → a',
      'tasks need each other in a circle: b → c → b',
    ]);
  });
});

describe('params from the command line', () => {
  const plan = planOf(
    '  t: { run: x }\n',
    'params: { n: { type: integer, default: 1 }, on: { type: boolean, default: true }, size: { choices: [small, large], default: small } }\n',
  );

  it.each([
    [{ m: '5' }, /declares no such param/],
    [{ n: 'x' }, /must be a whole number/],
    [{ n: '1.5' }, /must be a whole number/],
    [{ n: '' }, /must be a whole number/],
    [{ on: 'yes' }, /must be true or false/],
    [{ size: 'lage' }, /must be one of small, large/],
    [{ size: '' }, /must be one of small, large/],
    [{ ['__proto__']: '5' }, /declares no such param/],
  ])('%j is refused', (params, says) => {
    const found = diagnose(plan, params);
    expect(found.map((one) => one.code)).toEqual(['PLAN-PARAM']);
    expect(found[0]?.message).toMatch(says);
    expect(found[0]?.range?.line).toBe(3);
  });

  it('are suggested where one is mistyped', () => {
    expect(diagnose(planOf('  t: { run: x }\n', 'params: { root: { default: a } }\n'), { rot: 'x' })[0]?.hint).toBe(
      "did you mean 'root'?",
    );
  });
});
