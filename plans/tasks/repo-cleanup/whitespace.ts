import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import type { TaskContext } from 'waveplan';
import { parse } from './module-shape.ts';
import { replaceFile } from './replace-file.ts';

/** Cleans line ends and trailing white space of a batch of text files. */
export default async function whitespace({ files }: { files: readonly string[] }, { folder, signal }: TaskContext) {
  const changed: string[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const before = await readFile(path.join(folder, file), 'utf8');
    const after = cleanedText(file, before);
    if (after === before) continue;
    await replaceFile(path.join(folder, file), after);
    changed.push(file);
  }
  return { changed };
}

/** Lines end with LF and without white space, the last one too; what means something stays. */
export function cleanedText(file: string, before: string): string {
  // JavaScript itself reads CRLF in a template literal as LF.
  const text = before.replace(/\r\n?/g, '\n');
  // Two spaces at the end of a line of Markdown are a line break.
  if (/\.(md|markdown)$/.test(file)) return withOneEnd(text);
  const literal = /\.[cm]?[jt]sx?$/.test(file) ? templateLiterals(file, text) : [];
  const cleaned = text.replace(/[ \t]+$/gm, (spaces, at: number) =>
    literal.some(({ start, end }) => at >= start && at < end) ? spaces : '',
  );
  return withOneEnd(cleaned);
}

function withOneEnd(text: string): string {
  return text.replace(/\n*$/, '\n');
}

/** Where spaces at the end of a line are part of a text. */
function templateLiterals(file: string, text: string): readonly { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      found.push({ start: node.getStart(), end: node.end });
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file, text));
  return found;
}
