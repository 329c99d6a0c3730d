import { expect, it } from 'vitest';
import { otherMachinesText } from '../../../src/report/other-machines.js';

const [slow, quick] = [
  { agents: 2, seconds: 12 },
  { agents: 8, seconds: 3 },
];

it('says whether other machines pay off, and by how much', () => {
  expect(otherMachinesText({ on: 'workers', workers: 3, here: slow, there: quick })).toBe(
    'they pay off, 4 times as fast (predicted: 12 s with 2 agents on this machine, 3 s with 8 agents on 3 workers)',
  );
  expect(otherMachinesText({ on: 'workers', workers: 1, here: quick, there: slow })).toMatch(
    /^they do not pay off: --executor threads \(predicted: 3 s .* on 1 worker\)$/,
  );
  expect(otherMachinesText({ on: 'this', workers: 2, here: slow, there: quick })).toMatch(/^another would pay off, 4 times/);
  expect(otherMachinesText({ on: 'this', workers: 2, here: slow, there: slow })).toMatch(/^another would not pay off \(/);
});
