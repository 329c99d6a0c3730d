import { err, ok, type Result } from '../model/result.js';
import { parseAgentCount } from './agents-setting.js';
import type { PlanRequest } from './valid-plan.js';

/** What is wrong with a request, and where in its text: offsets in UTF-16 units, `end` exclusive. */
export interface RequestProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

/** `Execute this task dynamically with auto-scaled parallel instances: T` */
const AUTOMATIC = /^execute\s+this\s+task\s+dynamically\s+with\s+auto-scaled\s+parallel\s+instances\s*:/i;
/** `Execute this task using N parallel agents: T` */
const OVERRIDE = /^execute\s+this\s+task\s+using\s+([-+]?\d[\d.,_]*)\s+parallel\s+agents?\s*:/di;
/** `T using N parallel agents`; anchored at the end only, which keeps the search linear. */
const TRAILING_OVERRIDE = /(?:^|\s)using\s+([-+]?\d[\d.,_]*)\s+parallel\s+agents?[.!]?$/di;

/**
 * Reads the mode and the task out of a request in words. Case and white space do not matter, and words that
 * match no pattern are the task of an automatic request. A count of 0, below 0, above `MAX_AGENTS` or with
 * a fraction is a problem with its place; so is a pattern with no task.
 */
export function parseRequest(text: string): Result<PlanRequest, RequestProblem> {
  const body = text.trim();
  const lead = text.length - text.trimStart().length;

  const automatic = AUTOMATIC.exec(body);
  if (automatic !== null) {
    const task = body.slice(automatic[0].length).trim();
    return task === '' ? err(noTask(lead, body)) : ok({ mode: 'AUTOMATIC_SCALING', task });
  }

  const leading = OVERRIDE.exec(body);
  const count = leading?.[1];
  if (leading !== null && count !== undefined) {
    const start = lead + (leading.indices?.[1]?.[0] ?? 0);
    return override({ count, start, task: body.slice(leading[0].length).trim(), whole: noTask(lead, body) });
  }

  const trailing = TRAILING_OVERRIDE.exec(body);
  const trailingCount = trailing?.[1];
  if (trailing !== null && trailingCount !== undefined) {
    const start = lead + (trailing.indices?.[1]?.[0] ?? 0);
    return override({ count: trailingCount, start, task: body.slice(0, trailing.index).trim(), whole: noTask(lead, body) });
  }
  return ok({ mode: 'AUTOMATIC_SCALING', task: body });
}

interface OverrideParts {
  readonly count: string;
  readonly start: number;
  readonly task: string;
  readonly whole: RequestProblem;
}

function override({ count, start, task, whole }: OverrideParts): Result<PlanRequest, RequestProblem> {
  const agents = parseAgentCount(count);
  if (!agents.ok) return err({ message: agents.error, start, end: start + count.length });
  return task === '' ? err(whole) : ok({ mode: 'USER_OVERRIDE', agents: agents.value, task });
}

function noTask(lead: number, body: string): RequestProblem {
  return { message: 'the request names no task', start: lead, end: lead + body.length };
}
