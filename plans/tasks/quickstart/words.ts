/** Comments and strings as a whole, the marks of templates and their holes, and words (a private `#name` is one word). */
const TOKEN =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|[`{}]|#?[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;

/** The rest of a template up to its end or its next hole. */
const TEMPLATE = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/uy;

/**
 * Counts words outside comments, strings and template texts. A few lines of lexing that share nothing with
 * the compiler, so that both can be held against each other. It does not know regular expressions and JSX,
 * which declaration files do not have.
 */
export function countWords(text: string, words: readonly string[]): number[] {
  const counts = new Map(words.map((word) => [word, 0]));
  // Braces open in the hole of each template around the current place; the innermost is last.
  const holes: number[] = [];

  const skipTemplate = (from: number): number => {
    TEMPLATE.lastIndex = from;
    const end = TEMPLATE.exec(text) ? TEMPLATE.lastIndex : text.length;
    if (text.startsWith('${', end - 2)) holes.push(0);
    return end;
  };

  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [token] = match;
    const braces = holes.at(-1);
    const count = counts.get(token);
    if (count !== undefined) counts.set(token, count + 1);
    else if (token === '`') TOKEN.lastIndex = skipTemplate(TOKEN.lastIndex);
    else if (token === '{' && braces !== undefined) holes[holes.length - 1] = braces + 1;
    else if (token === '}' && braces !== undefined) {
      if (braces > 0) holes[holes.length - 1] = braces - 1;
      else {
        holes.pop();
        TOKEN.lastIndex = skipTemplate(TOKEN.lastIndex);
      }
    }
  }
  return [...counts.values()];
}
