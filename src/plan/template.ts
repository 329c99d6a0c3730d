import { err, ok, type Result } from '../model/result.js';

/** One `${{ … }}` in a text. Offsets are in UTF-16 units of the text; `end` is exclusive. */
export interface TemplateExpression {
  /** The CEL expression, without the braces and the white space around it. */
  readonly source: string;
  /** Where `source` begins. */
  readonly sourceStart: number;
  /** Where `${{` begins. */
  readonly start: number;
  /** Behind `}}`. */
  readonly end: number;
}

/** A mistake in a text, by offsets into it. */
export interface TextProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export const TEMPLATE_START = '${{';

/**
 * Every `${{ … }}` of a text, in order; the problem is one that does not end. Braces of map literals and whatever
 * stands in CEL strings do not end an expression, so `${{ {"a": {"b": 1}} }}` and `${{ "}}" }}` are one each.
 */
export function templateExpressions(text: string): Result<readonly TemplateExpression[], TextProblem> {
  const found: TemplateExpression[] = [];
  let position = text.indexOf(TEMPLATE_START);
  while (position !== -1) {
    const inner = position + TEMPLATE_START.length;
    const close = closingBraces(text, inner);
    if (close === undefined) {
      return err({ message: `'${TEMPLATE_START}' is not closed by '}}'`, start: position, end: inner });
    }
    const raw = text.slice(inner, close);
    found.push({
      source: raw.trim(),
      sourceStart: inner + (raw.length - raw.trimStart().length),
      start: position,
      end: close + 2,
    });
    position = text.indexOf(TEMPLATE_START, close + 2);
  }
  return ok(found);
}

/** The expression of a text that is one whole `${{ … }}`, white space around it aside; such a value keeps its type. */
export function wholeExpression(text: string): TemplateExpression | undefined {
  const lead = text.length - text.trimStart().length;
  if (!text.startsWith(TEMPLATE_START, lead)) return undefined;
  const found = templateExpressions(text);
  const only = found.ok && found.value.length === 1 ? found.value[0] : undefined;
  return only !== undefined && only.start === lead && only.end === text.trimEnd().length ? only : undefined;
}

/** The offset of the `}}` that ends the expression that begins at `from`. */
function closingBraces(text: string, from: number): number | undefined {
  let depth = 0;
  let index = from;
  while (index < text.length) {
    const character = text[index];
    if (character === '"' || character === "'") {
      const behind = behindString(text, index);
      if (behind === undefined) return undefined;
      index = behind;
      continue;
    }
    if (character === '{') depth += 1;
    else if (character === '}' && depth > 0) depth -= 1;
    else if (character === '}' && text[index + 1] === '}') return index;
    index += 1;
  }
  return undefined;
}

/** The offset behind the CEL string whose quote stands at `at`: single or triple quotes. In raw strings too, the evaluator's lexer skips what a backslash precedes. */
function behindString(text: string, at: number): number | undefined {
  const quote = text[at] ?? '';
  const delimiter = text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
  let index = at + delimiter.length;
  while (index < text.length) {
    if (text.startsWith(delimiter, index)) return index + delimiter.length;
    index += text[index] === '\\' ? 2 : 1;
  }
  return undefined;
}
