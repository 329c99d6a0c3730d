import validateMethodology from '#validators/methodology';
import builtInData from '#validators/methodology-data';
import type { Diagnostic } from '../model/diagnostic.js';
import { canonicalJson, contentHash } from '../model/ids.js';
import { isJsonObject, type JsonValue } from '../model/json.js';
import { err, ok, type Result } from '../model/result.js';
import { parseYaml } from './document.js';
import { type Problem, type Report, toDiagnostics, withoutFollowUps } from './problems.js';
import { parsePercent, parseSize } from './quantities.js';
import { readSource } from './read-source.js';
import { checkSchema } from './schema-check.js';
import { type SourceNode, valueAt } from './source-node.js';
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

/**
 * The methodology of `file`, whose absent keys keep their built-in values; without a file, the built-in one.
 * The error lists every mistake in the file, with codes `METHODOLOGY-…`.
 */
export function loadMethodology(file?: string): Result<Methodology, readonly Diagnostic[]> {
  const builtIn = builtInMethodology();
  return file === undefined ? ok(builtIn) : readMethodology(file, { displayName: file, base: builtIn });
}

function builtInMethodology(): Methodology {
  const rules = rulesOf(builtInData, undefined, (path, message) => {
    throw new Error(`Internal error: the built-in methodology is not valid: ${path.join('.')}: ${message}`);
  });
  return withHash(rules, 'built in');
}

interface ReadOptions {
  readonly displayName: string;
  /** Values for absent keys. */
  readonly base: MethodologyRules;
}

function readMethodology(file: string, { displayName, base }: ReadOptions): Result<Methodology, readonly Diagnostic[]> {
  const problems: Problem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const text = readSource(file);
  if (!text.ok) report(text.error);
  const source = new SourceTexts({ file, displayName, text: text.ok ? text.value : '' });
  const { root, damage } = text.ok ? parseYaml(source.main, report) : { root: undefined, damage: [] };
  if (root !== undefined) checkSchema(validateMethodology, root, report, { document: 'the methodology' });
  const rules =
    root &&
    rulesOf(root.json, base, (path, message) => {
      report({ code: 'VALUE', message, span: path.reduce<SourceNode | undefined>(valueAt, root) ?? root });
    });
  if (root !== undefined && rules !== undefined && problems.length === 0) checkOrder(root, rules, report);
  if (rules === undefined || problems.length > 0) {
    return err(toDiagnostics(withoutFollowUps(problems, damage), source, 'METHODOLOGY'));
  }
  return ok(withHash(rules, displayName));
}

function withHash(rules: MethodologyRules, source: string): Methodology {
  return { ...rules, hash: contentHash(canonicalJson({ ...rules })), source };
}

/** @param base values for absent keys; none for the built-in data, which has them all. */
function rulesOf(
  data: JsonValue,
  base: MethodologyRules | undefined,
  problem: (path: readonly string[], message: string) => void,
): MethodologyRules {
  const number = (path: readonly [string] | readonly [string, string], fallback: number | undefined): number => {
    const value = path.reduce<JsonValue | undefined>(at, data);
    return typeof value === 'number' ? value : (fallback ?? 0);
  };
  const parsed = (path: readonly string[], parse: typeof parseSize, fallback: number | undefined): number => {
    const text = path.reduce<JsonValue | undefined>(at, data);
    if (typeof text !== 'string') return fallback ?? 0;
    const quantity = parse(text);
    if (quantity.ok) return quantity.value;
    problem(path, quantity.error);
    return fallback ?? 0;
  };
  const percent = (key: keyof MethodologyRules['failure']): number => parsed(['failure', key], parsePercent, base?.failure[key]);
  return {
    overheadSecondsPerAgent: number(['overheadSecondsPerAgent'], base?.overheadSecondsPerAgent),
    iops: number(['iops'], base?.iops),
    connections: number(['connections'], base?.connections),
    computationAgentsPerCore: number(['computationAgentsPerCore'], base?.computationAgentsPerCore),
    memoryPerAgentBytes: parsed(['memoryPerAgent'], parseSize, base?.memoryPerAgentBytes),
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

function at(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
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
