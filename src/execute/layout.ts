import type { TaskType } from '../model/scaling-decision.js';
import type { AgentLayout } from './executor.js';

/**
 * Threads for a number of agents. Computation gets a thread for each agent, up to four for each core:
 * beyond that more threads only cost memory, and agents share them. Everything else mostly waits, so
 * a thread for each core hosts all its agents.
 */
export function layoutAgents(agents: number, type: TaskType, cores: number): AgentLayout {
  return { agents, threads: Math.max(1, Math.min(agents, type === 'computation' ? 4 * cores : cores)) };
}

/** The most threads that any layout can ask for. */
export function maxThreads(type: TaskType, cores: number): number {
  return layoutAgents(Number.MAX_SAFE_INTEGER, type, cores).threads;
}
