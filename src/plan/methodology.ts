import { fileURLToPath } from 'node:url';
import validateMethodology from '#validators/methodology';
import type { Diagnostic } from '../model/diagnostic.js';
import { canonicalJson, contentHash } from '../model/ids.js';
import { err, ok, type Result } from '../model/result.js';
import { parseYaml } from './document.js';
import { type Problem, type Report, toDiagnostics, withoutFollowUps } from './problems.js';
import { parsePercent, parseSize } from './quantities.js';
import { readSource } from './read-source.js';
import { checkSchema } from './schema-check.js';
import { numberOf, type SourceNode, textOf, valueAt } from './source-node.js';
import { SourceTexts } from './source-texts.js';

/** The rules of the scaling decision and of failure, in plain units. Shares are from 0 to 1. */
export interface MethodologyRules {
  /** Seconds of coordination per agent, until the machine's own figure is measured. */
  readonly overheadSecondsPerAgent: number;
  /** File operations a second. */
  readonly iops: number;
  /** Open connections. */
  readonly connections: number;
  readonly computationAgentsPerCore: number;
  readonly memoryPerAgentBytes: number;
  readonly microTask: { readonly belowMinutes: number; readonly overheadShare: number };
  readonly longTask: { readonly aboveMinutes: number };
  /** Ratios of time saved to overhead, above which a decision is in the band. */
  readonly roiBands: { readonly excellent: number; readonly good: number; readonly marginal: number };
  readonly fitTolerance: number;
  /** Shares of a wave's subtasks that failed, and by which share the agents are reduced in response. */
  readonly failure: {
    readonly minor: number;
    readonly major: number;
    readonly critical: number;
    readonly agentsReduction: number;
  };
}

/** The rules that a run goes by, and where they come from. */
export interface Methodology extends MethodologyRules {
  /** Of the rules, not of the text: comments do not count. */
  readonly hash: string;
  /** The file as the user named it, or 'built in'. */
  readonly source: string;
}

/** The packaged file; the same path from `src/plan` and from `dist/plan`. */
const BUILT_IN_FILE = fileURLToPath(new URL('../../schemas/methodology.yaml', import.meta.url));

/**
 * The methodology of `file`, whose absent keys keep their built-in values; without a file, the built-in one.
 * The error lists every mistake in the file, with codes `METHODOLOGY-…`.
 */
export function loadMethodology(file?: string): Result<Methodology, readonly Diagnostic[]> {
  const builtIn = builtInMethodology();
  return file === undefined ? ok(builtIn) : readMethodology(file, { displayName: file, base: builtIn });
}

function builtInMethodology(): Methodology {
  const read = readMethodology(BUILT_IN_FILE, { displayName: 'built in', base: undefined });
  if (!read.ok) throw new Error(`Internal error: the built-in methodology is not valid: ${read.error[0]?.message}`);
  return read.value;
}

interface ReadOptions {
  readonly displayName: string;
  /** Values for absent keys; none for the built-in file, which has them all. */
  readonly base: MethodologyRules | undefined;
}

function readMethodology(file: string, { displayName, base }: ReadOptions): Result<Methodology, readonly Diagnostic[]> {
  const problems: Problem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const text = readSource(file);
  if (!text.ok) report(text.error);
  const source = new SourceTexts({ file, displayName, text: text.ok ? text.value : '' });
  const { root, damage } = text.ok ? parseYaml(source.main, report) : { root: undefined, damage: [] };
  if (root !== undefined) checkSchema(validateMethodology, root, report, { document: 'the methodology' });
  const rules = root === undefined ? undefined : rulesOf(root, base, report);
  if (root !== undefined && rules !== undefined && problems.length === 0) checkOrder(root, rules, report);
  if (rules === undefined || problems.length > 0) {
    return err(toDiagnostics(withoutFollowUps(problems, damage), source, 'METHODOLOGY'));
  }
  return ok({ ...rules, hash: contentHash(canonicalJson({ ...rules })), source: displayName });
}

function rulesOf(root: SourceNode, base: MethodologyRules | undefined, report: Report): MethodologyRules {
  const number = (path: readonly [string] | readonly [string, string], fallback: number | undefined): number => {
    const [first, second] = path;
    const outer = valueAt(root, first);
    return numberOf(second === undefined ? outer : valueAt(outer, second)) ?? fallback ?? 0;
  };
  const parsed = (node: SourceNode | undefined, parse: typeof parseSize, fallback: number | undefined): number => {
    const text = textOf(node);
    if (node === undefined || text === undefined) return fallback ?? 0;
    const quantity = parse(text);
    if (quantity.ok) return quantity.value;
    report({ code: 'VALUE', message: quantity.error, span: node });
    return fallback ?? 0;
  };
  const failure = valueAt(root, 'failure');
  const percent = (key: keyof MethodologyRules['failure']): number =>
    parsed(valueAt(failure, key), parsePercent, base?.failure[key]);
  return {
    overheadSecondsPerAgent: number(['overheadSecondsPerAgent'], base?.overheadSecondsPerAgent),
    iops: number(['iops'], base?.iops),
    connections: number(['connections'], base?.connections),
    computationAgentsPerCore: number(['computationAgentsPerCore'], base?.computationAgentsPerCore),
    memoryPerAgentBytes: parsed(valueAt(root, 'memoryPerAgent'), parseSize, base?.memoryPerAgentBytes),
    microTask: {
      belowMinutes: number(['microTask', 'belowMinutes'], base?.microTask.belowMinutes),
      overheadShare: number(['microTask', 'overheadShare'], base?.microTask.overheadShare),
    },
    longTask: { aboveMinutes: number(['longTask', 'aboveMinutes'], base?.longTask.aboveMinutes) },
    roiBands: {
      excellent: number(['roiBands', 'excellent'], base?.roiBands.excellent),
      good: number(['roiBands', 'good'], base?.roiBands.good),
      marginal: number(['roiBands', 'marginal'], base?.roiBands.marginal),
    },
    fitTolerance: number(['fitTolerance'], base?.fitTolerance),
    failure: {
      minor: percent('minor'),
      major: percent('major'),
      critical: percent('critical'),
      agentsReduction: percent('agentsReduction'),
    },
  };
}

/** Bounds that contradict each other would make a response that can never be. */
function checkOrder(root: SourceNode, rules: MethodologyRules, report: Report): void {
  const { failure, roiBands } = rules;
  if (failure.minor > failure.major || failure.major > failure.critical) {
    const message = "the shares must rise: 'minor', then 'major', then 'critical'";
    report({ code: 'VALUE', message, span: valueAt(root, 'failure') ?? root });
  }
  if (roiBands.excellent < roiBands.good || roiBands.good < roiBands.marginal) {
    const message = "the bands must fall: 'excellent', then 'good', then 'marginal'";
    report({ code: 'VALUE', message, span: valueAt(root, 'roiBands') ?? root });
  }
}
