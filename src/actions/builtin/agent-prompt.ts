import { parseJson } from '../../data/json.js';
import { type DataProblem, inWords, moved, placeIn } from '../../data/place.js';
import { decodeUtf8 } from '../../data/text.js';
import type { Failure } from '../../model/failure.js';
import { contentHash } from '../../model/ids.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { err, ok, type Result } from '../../model/result.js';
import { captureCommand, failureOf, OUTPUT_WHOLE_BYTES } from '../command.js';
import { promptText } from '../prompt-text.js';
import { misfit } from './answer-schema.js';
import { actionFailure, inputFailure } from './failures.js';
import type { BuiltIn, BuiltInContext } from './perform-built-in.js';

/** `with` of `agent/prompt`; its schema says more. */
export interface PromptInput {
  readonly command: readonly (string | number | boolean)[];
  readonly objective?: string;
  readonly tools?: readonly string[];
  readonly input?: JsonValue;
  readonly criteria?: readonly string[];
  readonly prompt?: string;
  readonly schema?: JsonObject;
  readonly answer?: 'text' | 'json';
}

/** Bytes of an answer that a result holds. */
const ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Hands a prompt to a command on its standard input, as command-line front ends of models take it, and reads the answer
 * from its standard output. The command is ended with the subtask, with all that it started.
 */
export const promptAgent: BuiltIn<PromptInput> = async (input, context) => {
  const prompt = promptFor(input, context);
  context.log.write(`${prompt}\n`);
  const { cwd, env, signal, groupStarted } = context;
  const { end, stdout, stderr } = await captureCommand(
    { argv: input.command.map(String), cwd, env: env(), signal, onStart: groupStarted, stdin: prompt },
    OUTPUT_WHOLE_BYTES,
  );
  context.log.write(stderr.text());
  const failure = failureOf(end, stderr, stdout);
  if (failure !== undefined) return err(failure);
  const bytes = stdout.bytes();
  if (stdout.dropped > 0 || bytes.length > ANSWER_BYTES) {
    return err(outputFailure(`the answer has more than ${ANSWER_BYTES / (1024 * 1024)} MiB: have large work written to a file`));
  }
  const text = decodeUtf8(bytes);
  if (!text.ok) return err(outputFailure(inWords('the answer', text.error)));
  const answer = await answerOf(text.value, input);
  return answer.ok ? ok({ answer: answer.value, prompt: contentHash(prompt) }) : answer;
};

/** The prompt that the command gets: the plan's own, or one made of the objective. */
export function promptFor(
  input: PromptInput,
  { subtask, cwd, success }: Pick<BuiltInContext, 'subtask' | 'cwd' | 'success'>,
): string {
  if (input.prompt !== undefined) return input.prompt;
  return promptText({
    subtask,
    objective: input.objective ?? '',
    folder: cwd,
    inputs: { input: input.input },
    tools: input.tools ?? [],
    criteria: [...(input.criteria ?? []), ...answerCriteria(input), ...success.map(successCriterion)],
    schema: input.schema,
    checkpoint: 'print the answer on standard output, and nothing else there. waveplan saves it for the tasks that come after.',
  });
}

/** A definition of done as a criterion for the reader of a prompt. */
export function successCriterion(expression: string): string {
  return `this expression (CEL) over what the subtask comes to, called results, is true: ${expression}`;
}

/** What the form of the answer asks for. */
export function answerCriteria({ schema, answer }: Pick<PromptInput, 'schema' | 'answer'>): readonly string[] {
  if (schema !== undefined) return ['The answer is JSON that fits the schema below; it is results.answer'];
  return answer === 'json'
    ? ['The answer is one JSON value; it is results.answer']
    : ['The answer is text; it is results.answer'];
}

async function answerOf(text: string, { schema, answer }: PromptInput): Promise<Result<JsonValue, Failure>> {
  if (text.trim() === '') return err(actionFailure('the command printed no answer'));
  if (schema === undefined && answer !== 'json') return ok(text);
  const parsed = jsonIn(text);
  if (!parsed.ok) return err(outputFailure(`${inWords('the answer', parsed.error)}: ${text.trim().slice(0, 300)}`));
  const { value } = parsed;
  if (schema === undefined) return ok(value);
  const fits = await misfit(schema, value);
  if (!fits.ok) return err(inputFailure(`agent/prompt: 'schema' is not a JSON Schema: ${fits.error}`));
  return fits.value === undefined ? ok(value) : err(actionFailure(`the answer does not fit 'schema': ${fits.value}`));
}

/** The JSON that an answer is, or that its last fenced block holds: models like to say a word around it. */
function jsonIn(text: string): Result<JsonValue, DataProblem> {
  const whole = parseJson(text);
  if (whole.ok) return whole;
  const block = [...text.matchAll(/^(`{3,}|~{3,})[^\n]*\n(.*?)^\1/gms)].at(-1);
  if (block === undefined) return whole;
  const begin = block.index + block[0].indexOf('\n') + 1;
  const parsed = parseJson(block[2] ?? '');
  return parsed.ok ? parsed : err(moved(parsed.error, placeIn(text, begin).line, 1));
}

function outputFailure(message: string): Failure {
  return { kind: 'output', message };
}
