import { describe, expect, it } from 'vitest';
import { SlowStart } from '../../../src/execute/slow-start.js';

/** Plays a slow start against work whose throughput (subtasks a second) follows from the number of agents. */
function play(from: number, target: number, throughput: (agents: number) => number) {
  const start = new SlowStart(target, 0);
  const tried = [from];
  let [agents, now, settled] = [from, 0, false];
  for (let finished = 1; finished <= 5000 && !start.done; finished++) {
    now += 1000 / throughput(agents);
    const step = start.next(now, finished, agents);
    if (step === undefined) continue;
    agents = step.agents;
    settled ||= step.settled;
    tried.push(agents);
  }
  return { agents, tried, settled };
}

describe('SlowStart', () => {
  it('doubles up to the target while throughput grows with the agents', () => {
    expect(play(4, 32, (agents) => 10 * agents)).toEqual({ agents: 32, tried: [4, 8, 16, 32], settled: false });
  });

  it('goes back to the last number that paid', () => {
    expect(play(4, 32, (agents) => 10 * Math.min(agents, 8))).toEqual({ agents: 8, tried: [4, 8, 16, 8], settled: true });
  });

  it('draws nothing from a small last step, whose gain is less than chance', () => {
    expect(play(4, 18, (agents) => 10 * Math.min(agents, 16))).toEqual({ agents: 18, tried: [4, 8, 16, 18], settled: false });
  });
});
