import type { Report } from './problems.js';
import { parsePercent } from './quantities.js';
import { type SourceNode, textOf, valueAt } from './source-node.js';
import type { PlanFailure } from './valid-plan.js';

/** Reads `failure`: the shares that the plan states, which must rise, and the response above `major`. */
export function readFailure(root: SourceNode, report: Report): PlanFailure {
  const node = valueAt(root, 'failure');
  const share = (key: 'minor' | 'major' | 'critical'): number | undefined => {
    const at = valueAt(node, key);
    const text = textOf(at);
    if (at === undefined || text === undefined) return undefined;
    const parsed = parsePercent(text);
    if (parsed.ok) return parsed.value;
    report({ code: 'VALUE', message: parsed.error, span: at });
    return undefined;
  };
  const failure: PlanFailure = {
    minor: share('minor'),
    major: share('major'),
    critical: share('critical'),
    onMajor: textOf(valueAt(node, 'onMajor')) === 'abort' ? 'abort' : 'sequential',
  };
  const stated = [failure.minor, failure.major, failure.critical].filter((one) => one !== undefined);
  if (node !== undefined && stated.some((one, i) => one < (stated[i - 1] ?? 0))) {
    report({ code: 'VALUE', message: "the shares must rise: 'minor', then 'major', then 'critical'", span: node });
  }
  return failure;
}
