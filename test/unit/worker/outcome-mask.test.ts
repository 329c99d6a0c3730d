import { describe, expect, it } from 'vitest';
import { LazyJson } from '../../../src/model/lazy-json.js';
import { NO_MASK } from '../../../src/model/mask.js';
import { maskFor, maskOutcome } from '../../../src/worker/outcome-mask.js';

describe('the mask of a thread', () => {
  it('follows the environment, and is kept while the values are the same', () => {
    const first = maskFor(['A', 'B'], { A: 'first value', B: 'second value' });
    expect(first.text('first value, second value')).toBe('***, ***');
    expect(maskFor(['A', 'B'], { A: 'first value', B: 'second value' })).toBe(first);
    const other = maskFor(['A', 'B'], { A: 'other value' });
    expect(other.text('first value, other value')).toBe('first value, ***');
    expect(maskFor([], { A: 'other value' })).toBe(NO_MASK);
  });

  it('takes secrets out of everything that an outcome says', () => {
    const mask = maskFor(['A'], { A: 'the secret' });
    const outcome = {
      failure: { kind: 'module', message: 'no: the secret', stack: 'at the secret' },
      results: LazyJson.ofValue({ stdout: ['the secret'] }),
      log: 'the secret\n',
      started: 1,
      durationMs: 2,
      leaked: false,
    } as const;
    const masked = maskOutcome(outcome, mask);
    expect({ ...masked, results: masked.results.value }).toEqual({
      ...outcome,
      failure: { kind: 'module', message: 'no: ***', stack: 'at ***' },
      results: { stdout: ['***'] },
      log: '***\n',
    });
    expect(maskOutcome(outcome, NO_MASK)).toBe(outcome);
  });
});
