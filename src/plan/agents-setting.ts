import { err, ok, type Result } from '../model/result.js';
import { parsePercent } from './quantities.js';
import type { AgentsSetting } from './valid-plan.js';

/** The most agents that can be asked for. More is a slip of the finger: a machine carries a few thousand. */
export const MAX_AGENTS = 100_000;

/** A whole number of agents from its digits; the error is a message for the user. */
export function parseAgentCount(text: string): Result<number, string> {
  if (!/^\+?\d+$/.test(text)) {
    if (/^-\d/.test(text)) return err(`${text} agents: the number must be at least 1`);
    return err(`'${text.slice(0, 40)}' is not a whole number of agents`);
  }
  const count = Number(text);
  if (count < 1) return err('0 agents can do nothing: the number must be at least 1');
  if (count > MAX_AGENTS) return err(`${text.slice(0, 40)} agents are too many: at most ${MAX_AGENTS}`);
  return ok(count);
}

/** `auto`, `50` or `75%`, as the plan's `agents` and the flag `--agents` take them; the error is a message for the user. */
export function parseAgents(text: string): Result<AgentsSetting, string> {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'auto') return ok({ kind: 'auto' });
  if (trimmed.endsWith('%')) {
    const share = parsePercent(trimmed);
    if (!share.ok) return share;
    return share.value > 0 ? ok({ kind: 'share', share: share.value }) : err('0% of the capacity is no agent at all');
  }
  if (!/^[-+]?\d/.test(trimmed)) return err(`'${text.slice(0, 40)}' is not a number of agents: write auto, 50 or 75%`);
  const count = parseAgentCount(trimmed);
  return count.ok ? ok({ kind: 'count', agents: count.value }) : count;
}
