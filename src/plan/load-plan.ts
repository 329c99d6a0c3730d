import type { Diagnostic } from '../model/diagnostic.js';
import { err, type Result } from '../model/result.js';
import { type ParsePlanOptions, parsePlan } from './parse-plan.js';
import { toDiagnostics } from './problems.js';
import { readSource } from './read-source.js';
import { SourceTexts } from './source-texts.js';
import type { ValidPlan } from './valid-plan.js';

/**
 * Reads a plan from its file: UTF-8, at most 10 MiB. The error lists every mistake, a file that cannot be read
 * among them.
 */
export function loadPlan(file: string, options: Omit<ParsePlanOptions, 'file'> = {}): Result<ValidPlan, readonly Diagnostic[]> {
  const text = readSource(file);
  if (text.ok) return parsePlan(text.value, { ...options, file });
  return err(toDiagnostics([text.error], new SourceTexts({ file, displayName: options.displayName ?? file, text: '' }), 'PLAN'));
}
