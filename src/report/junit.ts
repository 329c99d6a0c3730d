import type { Checkpoint } from '../model/checkpoint.js';
import type { RunEvent } from '../model/run-event.js';
import { inertFirstLine, inertLine, inertMarkup as xml } from './inert.js';
import type { RunSummary } from './run-summary.js';

/** Of a failure's text in the file; the log has the rest. */
const MOST_TEXT = 16 * 1024;

/**
 * A run as JUnit XML, piece by piece: a test suite for each wave, a test case for each subtask. Counts stand before the
 * cases, so they come from the summary. Why a case was skipped is text, not a `message`: older schemas know no such attribute. `log` gives the end of what a failed subtask said.
 */
export async function* renderJunit(
  summary: RunSummary,
  events: AsyncIterable<RunEvent>,
  log: (subtask: string) => Promise<string | undefined>,
): AsyncGenerator<string, void, undefined> {
  // A name of spaces alone is none.
  const name = xml(inertLine(summary.plan ?? '') || 'run');
  const { success, failed, skipped } = summary.totals;
  const last = finallySuite(summary);
  const tests = success + failed + skipped + last.tests;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="${name}" tests="${tests}" failures="${failed + last.failures}" errors="0" time="${seconds(summary.totalMs)}">\n`;
  // What is skipped is told when it is known, which may be in the middle of another wave.
  const skippedIn = new Map<number, string[]>();
  let open: number | undefined;
  for await (const event of events) {
    if (event.type === 'subtask-skipped') {
      const { wave, task, subtask, reason } = event;
      const text = `    <testcase name="${xml(subtask)}" classname="${name}.${xml(task)}" time="0"><skipped>${xml(inertFirstLine(`skipped because ${reason}`, 300))}</skipped></testcase>\n`;
      const known = skippedIn.get(wave);
      if (known === undefined) skippedIn.set(wave, [text]);
      else known.push(text);
    } else if (event.type === 'subtask-finished') {
      const { wave } = event.checkpoint;
      if (wave !== open) {
        if (open !== undefined) yield SUITE_END;
        open = wave;
        yield suiteStart(summary, wave, event.at);
        yield* skippedIn.get(wave) ?? [];
        skippedIn.delete(wave);
      }
      yield await testCase(name, event.task, event.checkpoint, log);
    }
  }
  if (open !== undefined) yield SUITE_END;
  for (const [wave, cases] of skippedIn) {
    // Of the wave that is open last, or of one in which nothing else was recorded.
    yield suiteStart(summary, wave, 0, wave === open ? ', skipped later' : '', cases.length);
    yield* cases;
    yield SUITE_END;
  }
  yield last.text;
  yield '</testsuites>\n';
}

const SUITE_END = '  </testsuite>\n';

function suiteStart(summary: RunSummary, number: number, at: number, note = '', only?: number): string {
  const wave = summary.waves.find((candidate) => candidate.number === number);
  const { success = 0, failed = 0, skipped = 0 } = only === undefined ? (wave ?? {}) : { skipped: only };
  const title = xml(`wave ${number}: ${inertLine(wave?.name ?? '')}${note}`);
  const time = seconds(wave?.durationMs ?? 0);
  return `  <testsuite name="${title}" tests="${success + failed + skipped}" failures="${failed}" errors="0" skipped="${skipped}" time="${time}"${timestamp(at)}>\n`;
}

async function testCase(
  plan: string,
  task: string,
  checkpoint: Checkpoint,
  log: (subtask: string) => Promise<string | undefined>,
): Promise<string> {
  const { task_id, duration_ms, error, status } = checkpoint;
  const start = `    <testcase name="${xml(task_id)}" classname="${plan}.${xml(task)}" time="${seconds(duration_ms)}"`;
  if (status === 'success') return `${start}/>\n`;
  const message = error?.message ?? 'failed without a message';
  const said = await log(task_id);
  const text = xml(
    [message, error?.stack ?? '']
      .filter((part) => part !== '')
      .join('\n')
      .slice(0, MOST_TEXT),
  );
  const output = said === undefined || said.trim() === '' ? '' : `<system-out>${xml(said)}</system-out>`;
  return `${start}><failure message="${xml(inertFirstLine(message, 300))}" type="${xml(error?.kind ?? 'module')}">${text}</failure>${output}</testcase>\n`;
}

function finallySuite({ finally: tasks }: RunSummary): {
  readonly tests: number;
  readonly failures: number;
  readonly text: string;
} {
  if (tasks.length === 0) return { tests: 0, failures: 0, text: '' };
  const failures = tasks.filter(({ success }) => !success).length;
  const time = seconds(tasks.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const cases = tasks.map(({ task, success, durationMs, message }) => {
    const start = `    <testcase name="${xml(task)}" classname="finally" time="${seconds(durationMs)}"`;
    return success ? `${start}/>\n` : `${start}><failure message="${xml(message ?? 'failed')}"/></testcase>\n`;
  });
  const head = `  <testsuite name="finally" tests="${tasks.length}" failures="${failures}" errors="0" skipped="0" time="${time}">\n`;
  return { tests: tasks.length, failures, text: `${head}${cases.join('')}${SUITE_END}` };
}

function seconds(ms: number): string {
  // Beyond this a number would be printed with an exponent, which readers of the format do not take.
  return Number.isFinite(ms) ? (Math.min(1e15, Math.max(0, ms)) / 1000).toFixed(3) : '0';
}

/** As the schema takes it: without a zone, by UTC. */
function timestamp(at: number): string {
  return at > 0 && at < 8.64e15 ? ` timestamp="${new Date(at).toISOString().slice(0, 19)}"` : '';
}
