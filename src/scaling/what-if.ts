import type { Roi } from '../model/scaling-decision.js';
import { decideScaling, fitInput, type ScalingInput } from './decide.js';
import { predictSeconds } from './fit.js';
import type { MachineProfile } from './machine.js';
import { returnOnAgents } from './roi.js';
import type { ScalingRules } from './rules.js';

/** What a count of agents is predicted to come to. */
export interface WhatIf {
  readonly agents: number;
  readonly seconds: number;
  readonly overheadSeconds: number;
  readonly roi: Roi;
  readonly decided: boolean;
}

/** The predicted time, overhead and return of 1, 2, 4 … agents up to the formula's number, and of the decided count. */
export function whatIf(input: ScalingInput, rules: ScalingRules, machine: MachineProfile): readonly WhatIf[] {
  const decision = decideScaling(input, rules, machine);
  const most = Math.max(decision.formula.agents, decision.decided.agents);
  const counts = new Set([decision.decided.agents, decision.formula.agents]);
  for (let n = 1; n <= most; n *= 2) counts.add(n);
  const work = {
    subtasks: input.subtasks,
    averageMinutes: input.averageMinutes,
    overheadSeconds: input.overhead.secondsPerAgent,
  };
  return [...counts]
    .sort((a, b) => a - b)
    .map((agents) => {
      const roi = returnOnAgents(agents, work, rules);
      return {
        agents,
        seconds: predictSeconds(agents, fitInput(input), machine),
        overheadSeconds: roi.overheadMinutes * 60,
        roi,
        decided: agents === decision.decided.agents,
      };
    });
}
