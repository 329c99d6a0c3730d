import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/model/run-event.js';
import { renderHtml } from '../../../src/report/html/page.js';
import { renderJunit } from '../../../src/report/junit.js';
import { RunDetailsFold } from '../../../src/report/run-details.js';
import { renderTrace } from '../../../src/report/trace.js';
import { junitProblems } from '../../support/junit.js';
import { traceProblems } from '../../support/trace.js';
import { anyEvent, anyScoredRun, nastyText, runStarted, summaryOf } from './builders.js';

/** Any events after a start, with names from anywhere. */
const anyRun: fc.Arbitrary<readonly RunEvent[]> = fc
  .tuple(nastyText, fc.oneof(fc.array(anyEvent, { maxLength: 25 }), anyScoredRun))
  .map(([plan, events]) => [runStarted({ plan: `plan ${plan}` }), ...events]);

async function* asStream(events: readonly RunEvent[]): AsyncGenerator<RunEvent> {
  yield* events;
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

function detailsOf(events: readonly RunEvent[]) {
  const fold = new RunDetailsFold();
  for (const event of events) fold.add(event);
  return fold.result();
}

describe('whatever happened in a run', () => {
  it('its page has no script, no handler and no invented figure', async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, nastyText, async (events, said) => {
        const summary = summaryOf(events);
        const logs = summary.failures.flatMap(({ subtasks }) => subtasks.map((subtask) => ({ subtask, text: said })));
        const page = await renderHtml({ summary, details: detailsOf(events), logs });
        const { document } = parseHTML(page);
        expect(document.querySelectorAll('script,iframe,img,object,embed,link,form,a').length).toBe(0);
        for (const element of document.querySelectorAll('*'))
          for (const { name, value } of element.attributes) {
            expect(name).not.toMatch(/^on|^style$|^src$|href$/);
            expect(value).not.toMatch(/NaN|undefined|Infinity/);
          }
        expect(document.body.textContent).not.toMatch(/NaN|undefined|Infinity/);
      }),
      { numRuns: 25 },
    );
  });

  it('its JUnit is valid, and its trace keeps the rules but for overlaps that the events themselves have', async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, async (events) => {
        const xml = await whole(renderJunit(summaryOf(events), asStream(events), async () => undefined));
        // Events in any order make several suites of a wave; a run's records do not.
        expect((await junitProblems(xml)).filter((problem) => !/unique|Duplicate/i.test(problem))).toEqual([]);
        const problems = traceProblems(await whole(renderTrace(asStream(events))));
        expect(problems.filter((problem) => !problem.includes('begins before'))).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});
