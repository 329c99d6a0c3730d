import type { EnvironmentProblem } from '../checkpoint/problem.js';
import { ok, type Result } from '../model/result.js';
import type { PanelOptions } from '../report/panel.js';
import { readRunRecord } from './run-record.js';

/** What a report can be made as. */
export const REPORT_FORMATS = ['terminal', 'json', 'md', 'html', 'junit', 'trace'] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** A report in pieces: one of every subtask does not fit into a string. */
export type ReportText = AsyncIterable<string> | Iterable<string>;

/** Makes a report from the records in a run's folder. Each format's code is loaded when it is asked for. */
export async function makeReport(
  runDir: string,
  format: ReportFormat,
  panel: PanelOptions,
): Promise<Result<ReportText, EnvironmentProblem>> {
  const record = await readRunRecord(runDir);
  if (!record.ok) return record;
  const { summary, logs } = record.value;
  switch (format) {
    case 'terminal': {
      const { renderReport } = await import('../report/run-panel.js');
      const { renderFailures } = await import('../report/failure-text.js');
      return ok([`${renderReport(summary, panel)}\n`, renderFailures({ summary, logs, runDir }, panel)]);
    }
    case 'json': {
      const { toReportJson } = await import('../report/report-json.js');
      const { inertJson } = await import('../report/inert.js');
      return ok([`${inertJson(toReportJson(summary), 2)}\n`]);
    }
    case 'md': {
      const { renderMarkdown } = await import('../report/report-markdown.js');
      return ok([renderMarkdown(summary)]);
    }
    case 'html': {
      const { renderHtml } = await import('../report/html/page.js');
      return ok([await renderHtml(record.value)]);
    }
    case 'junit': {
      const { renderJunit } = await import('../report/junit.js');
      const { runEvents, logTail } = await import('./run-events.js');
      return ok(renderJunit(summary, runEvents(runDir), (subtask) => logTail(runDir, subtask)));
    }
    case 'trace': {
      const { renderTrace } = await import('../report/trace.js');
      const { runEvents } = await import('./run-events.js');
      return ok(renderTrace(runEvents(runDir)));
    }
  }
}
