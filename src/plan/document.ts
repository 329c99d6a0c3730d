import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, type ParsedNode, Parser, type YAMLError } from 'yaml';
import type { Damage, Problem, Report } from './problems.js';
import type { SourceNode, Span } from './source-node.js';
import type { SourceText } from './source-texts.js';
import { buildSourceTree } from './source-tree.js';

/**
 * The depth of the parser's stack, of which a level of nesting takes one or two places. Deeper than any plan; the
 * composer that comes next recurses, and a stack overflow there can end the process.
 */
const MAX_PARSER_DEPTH = 200;

/** Beyond this many, further syntax errors tell nothing new. */
const MAX_SYNTAX_ERRORS = 50;

/** A YAML text, read as far as it can be. */
export interface YamlDocument {
  /** Absent where there is nothing to go on with. */
  readonly root: SourceNode | undefined;
  /** From the first syntax error that casts doubt on the structure of what follows it to the end; at most one. */
  readonly damage: readonly Damage[];
}

/** Syntax errors that leave the structure around them intact. */
const LOCAL_ERRORS: ReadonlySet<string> = new Set([
  'ALIAS_PROPS',
  'BAD_ALIAS',
  'BAD_DIRECTIVE',
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'MULTIPLE_ANCHORS',
  'MULTIPLE_TAGS',
  'TAG_RESOLVE_FAILED',
]);

const HINTS: ReadonlyMap<string, string> = new Map([
  ['TAB_AS_INDENT', 'indent with spaces: YAML does not allow tabs there'],
  ['BAD_SCALAR_START', 'put the text in quotes'],
  ['BAD_DQ_ESCAPE', "write '\\\\' for a backslash, or use single quotes, in which nothing is escaped"],
  ['BLOCK_AS_IMPLICIT_KEY', "a text that contains ': ' needs quotes"],
  ['BAD_INDENT', 'keys of one mapping begin at the same column'],
]);

/**
 * Parses one YAML document (1.2, core schema, with merge keys `<<`) and reports every mistake in it: syntax, depth,
 * aliases, duplicate keys, tags, numbers. Spans count from the file's start among its plan's texts. Never throws.
 */
export function parseYaml({ text, start }: SourceText, report: Report): YamlDocument {
  const local: Report = (problem) => report({ ...problem, span: moved(problem.span, start) });
  const damageFrom = (at: number | undefined): readonly Damage[] =>
    at === undefined ? [] : [{ start: start + at, end: start + text.length + 1 }];
  const composed = compose(text);
  if (composed.tooDeepAt !== undefined) {
    const span = { start: composed.tooDeepAt, end: composed.tooDeepAt + 1 };
    local({ code: 'DEPTH', message: 'values are nested too deeply here', span });
    return { root: undefined, damage: damageFrom(composed.tooDeepAt) };
  }
  const [document, second] = composed.documents;
  if (document === undefined) return { root: undefined, damage: damageFrom(0) };
  if (second !== undefined) {
    const from = second.contents?.range?.[0] ?? document.range[2];
    const message = 'a second document begins here: a file holds one';
    local({ code: 'YAML', message, span: { start: from, end: from + 1 }, hint: "remove the line '---' above it" });
  }
  const damage = damageFrom(reportSyntax(document, { text, unclosedAt: composed.unclosedAt, report: local }));
  const { contents } = document;
  if (isEmpty(contents, text)) {
    if (document.errors.length === 0) {
      report({ code: 'EMPTY', message: 'the file is empty', span: start === 0 ? undefined : { start, end: start } });
    }
    return { root: undefined, damage };
  }
  return { root: buildSourceTree({ text, start }, contents, report), damage };
}

function moved(span: Span | undefined, by: number): Span | undefined {
  return span === undefined ? undefined : { start: span.start + by, end: span.end + by };
}

/** Reports syntax errors, of those that break the structure one a line; the offset of the first of these. */
function reportSyntax(
  document: Document.Parsed,
  at: { readonly text: string; readonly unclosedAt: number | undefined; readonly report: Report },
): number | undefined {
  let damagedAt: number | undefined;
  let lastEnd: number | undefined;
  const found = [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_ERRORS);
  for (const error of found.sort((a, b) => a.pos[0] - b.pos[0])) {
    const problem = problemOf(error, at);
    if (LOCAL_ERRORS.has(error.code)) {
      at.report(problem);
      continue;
    }
    const start = problem.span?.start ?? 0;
    const sameLine = lastEnd !== undefined && !at.text.slice(lastEnd, error.pos[0]).includes('\n');
    if (!sameLine) at.report(problem);
    lastEnd = error.pos[0];
    damagedAt = Math.min(damagedAt ?? start, start);
  }
  return damagedAt;
}

interface Composed {
  readonly documents: readonly Document.Parsed[];
  readonly tooDeepAt: number | undefined;
  /** Where the first quoted text begins that does not end. */
  readonly unclosedAt: number | undefined;
}

/** What the lexer sends ahead of a plain or block text, which may begin with a quote too. */
const PLAIN_TEXT_FOLLOWS = '\u001f';

/** What yaml's own `parseDocument` does, with a look at the parser's stack after each lexeme, before the composer recurses. */
function compose(text: string): Composed {
  const lexer = new Lexer();
  const parser = new Parser();
  const composer = new Composer({ schema: 'core', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const documents: Document.Parsed[] = [];
  let unclosedAt: number | undefined;
  let before = '';
  for (const lexeme of lexer.lex(text)) {
    if (before !== PLAIN_TEXT_FOLLOWS && isUnclosed(lexeme)) unclosedAt ??= parser.offset;
    before = lexeme;
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    if (parser.stack.length > MAX_PARSER_DEPTH) return { documents: [], tooDeepAt: parser.offset, unclosedAt };
    // One document and the beginning of the next are enough to say so.
    if (documents.length > 1) break;
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  return { documents, tooDeepAt: undefined, unclosedAt };
}

/** A quoted text whose last character is not its first: the file ended before it did. */
function isUnclosed(lexeme: string): boolean {
  const quote = lexeme[0];
  return (quote === '"' || quote === "'") && (lexeme.length === 1 || !lexeme.endsWith(quote));
}

function isEmpty(contents: ParsedNode | null, text: string): boolean {
  if (contents === null) return true;
  if (isMap(contents) || isSeq(contents) || isAlias(contents)) return false;
  return isScalar(contents) && contents.value === null && text.slice(contents.range[0], contents.range[1]).trim() === '';
}

function problemOf(error: YAMLError, at: { readonly text: string; readonly unclosedAt: number | undefined }): Problem {
  const { length } = at.text;
  const message = error.message.replace(/\s+/g, ' ').trim();
  if (at.unclosedAt !== undefined && /^Missing closing ["']quote$/.test(message)) {
    const quote = at.text[at.unclosedAt] ?? '';
    const span = { start: at.unclosedAt, end: at.unclosedAt + 1 };
    return { code: 'YAML', message: `the text that begins here is not closed by ${quote}`, span };
  }
  const [start, end] = error.pos;
  const span = { start: Math.min(start, length), end: Math.min(Math.max(end, start), length) };
  return { code: error.code === 'BAD_ALIAS' ? 'ALIAS' : 'YAML', message, span, hint: HINTS.get(error.code) };
}
