/*
 * Which variables a text for a shell reads, and which it sets. This is no parser of the shell: where the two could differ, a use is
 * passed over rather than invented, because what is found wrong with one refuses the plan.
 */

/** A variable that a text reads, with offsets into it. */
export interface VariableUse {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What a text for a shell has to do with variables. */
export interface ShellVariables {
  /** Those that are read and would be taken for empty where they are not set; `${x:-…}` and the like are not among them. */
  readonly uses: readonly VariableUse[];
  /** Those that the text itself may set. */
  readonly sets: ReadonlySet<string>;
  /** It runs text that is not here (`eval`, `.`), which may set any. */
  readonly setsOthers: boolean;
}

/** Reads a text for `sh`. Nothing within single quotes counts: it may be text for another program. */
export function shellVariables(text: string): ShellVariables {
  return new ShellReader(text).read();
}

/** Where the reader is: what ends it, and how quotes count there. */
interface Context {
  readonly end: '"' | ')' | '))' | '}' | '`';
  /** Within double quotes, where a single quote is a character. */
  readonly quoted: boolean;
  /** Where names are read without a dollar. */
  readonly arithmetic?: true;
}

interface HereDocument {
  readonly word: string;
  readonly literal: boolean;
  readonly tabs: boolean;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const ASSIGNMENT = /([A-Za-z_][A-Za-z0-9_]*)\+?=/y;
const WORD = /[^\s;&|()<>`"'$\\]+/y;
const HERE = /<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|\\?([^\s;&|()<>]+))/y;

/** Words after which a command begins. */
const BEFORE_COMMAND: ReadonlySet<string> = new Set(
  'if then elif else while until do { ! time exec command env nohup sudo'.split(' '),
);
/** Commands whose arguments are names of variables, or set them. */
const SETTING: ReadonlySet<string> = new Set(
  'read for select export readonly local declare typeset let getopts mapfile readarray printf set'.split(' '),
);
const RUNNING_TEXT: ReadonlySet<string> = new Set(['eval', '.', 'source']);

class ShellReader {
  readonly #text: string;
  readonly #uses: VariableUse[] = [];
  readonly #sets = new Set<string>();
  readonly #contexts: Context[] = [];
  readonly #waiting: HereDocument[] = [];
  #setsOthers = false;
  #at = 0;
  /** A command may begin here; else within the arguments of `#command`. */
  #atCommand = true;
  #command = '';
  /** Between two words. */
  #atWord = true;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ShellVariables {
    while (this.#at < this.#text.length) this.#step();
    return { uses: this.#uses, sets: this.#sets, setsOthers: this.#setsOthers };
  }

  #step(): void {
    const character = this.#text[this.#at] ?? '';
    const context = this.#contexts.at(-1);
    const atWord = this.#atWord;
    this.#atWord = false;
    if (character === '\\') {
      this.#at += 2;
      return;
    }
    if (context !== undefined && this.#text.startsWith(context.end, this.#at)) {
      this.#contexts.pop();
      this.#at += context.end.length;
      return;
    }
    if (character === '$') {
      this.#dollar(context?.quoted === true);
      return;
    }
    if (character === '"') {
      this.#enter('"', true, 1);
      return;
    }
    if (character === '`') {
      this.#enter('`', false, 1);
      this.#begin();
      return;
    }
    if (context?.arithmetic === true) {
      this.#arithmetic();
      return;
    }
    if (context?.quoted === true) {
      this.#at += 1;
      return;
    }
    this.#plain(character, atWord);
  }

  #plain(character: string, atWord: boolean): void {
    switch (character) {
      case "'":
        this.#skipTo("'", 1);
        return;
      case '\n':
        this.#at += 1;
        this.#hereDocuments();
        this.#begin();
        return;
      case ' ':
      case '\t':
        this.#at += 1;
        this.#atWord = true;
        return;
      case '(':
        this.#enter(')', false, 1);
        this.#begin();
        return;
      case ')':
      case ';':
      case '&':
      case '|':
        this.#at += 1;
        this.#begin();
        return;
      case '<':
        this.#redirection();
        return;
      case '#':
        if (atWord) this.#skipComment();
        else this.#at += 1;
        return;
      default:
        if (atWord) this.#word();
        else this.#at += 1;
    }
  }

  #begin(): void {
    this.#atWord = true;
    this.#atCommand = true;
    this.#command = '';
  }

  #enter(end: Context['end'], quoted: boolean, length: number): void {
    this.#contexts.push({ end, quoted });
    this.#at += length;
  }

  #enterArithmetic(end: ')' | '))'): void {
    this.#contexts.push({ end, quoted: true, arithmetic: true });
  }

  #word(): void {
    const assigned = this.#atCommand ? this.#match(ASSIGNMENT) : undefined;
    if (assigned !== undefined) {
      this.#sets.add(assigned[1] ?? '');
      this.#at += assigned[0].length;
      return;
    }
    const word = this.#match(WORD)?.[0];
    if (word === undefined) {
      this.#at += 1;
      this.#atCommand = false;
      return;
    }
    this.#at += word.length;
    if (this.#atCommand) {
      if (RUNNING_TEXT.has(word)) this.#setsOthers = true;
      if (BEFORE_COMMAND.has(word)) return;
      this.#atCommand = false;
      this.#command = word;
    } else if (SETTING.has(this.#command)) {
      const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(word)?.[0];
      if (name !== undefined) this.#sets.add(name);
    }
  }

  #dollar(quoted: boolean): void {
    const next = this.#text[this.#at + 1];
    if (next === '(' && this.#text[this.#at + 2] === '(') {
      this.#at += 3;
      this.#enterArithmetic('))');
    } else if (next === '(') {
      this.#enter(')', false, 2);
      this.#begin();
    } else if (next === '{') this.#braces(quoted);
    else if (next === "'" && !quoted) this.#skipTo("'", 2, true);
    else {
      this.#at += 1;
      const name = this.#match(NAME)?.[0];
      if (name === undefined) return;
      this.#use(name, this.#at - 1, this.#at + name.length);
      this.#at += name.length;
    }
  }

  /** `${NAME}` and its forms; what handles a missing value, and what is no name, is no use. */
  #braces(quoted: boolean): void {
    const start = this.#at;
    this.#enter('}', quoted, this.#text[start + 2] === '#' && this.#text[start + 3] !== '}' ? 3 : 2);
    const name = this.#match(NAME)?.[0];
    if (name === undefined) return;
    this.#at += name.length;
    const operator = /:?[-=+?]/y;
    operator.lastIndex = this.#at;
    const handled = operator.exec(this.#text)?.[0];
    if (handled?.endsWith('=') === true) this.#sets.add(name);
    if (handled === undefined) this.#use(name, start, this.#text[this.#at] === '}' ? this.#at + 1 : this.#at);
    else this.#at += handled.length;
  }

  #arithmetic(): void {
    const name = this.#match(NAME)?.[0];
    if (name === undefined) {
      if (this.#text[this.#at] === '(') this.#enterArithmetic(')');
      this.#at += 1;
      return;
    }
    const start = this.#at;
    this.#at += name.length;
    const assigned = /[ \t]*(?:[-+*/%&|^]|<<|>>)?=(?!=)/y;
    assigned.lastIndex = this.#at;
    if (assigned.test(this.#text)) this.#sets.add(name);
    else this.#use(name, start, this.#at);
  }

  #redirection(): void {
    if (this.#text.startsWith('<<<', this.#at)) {
      this.#at += 3;
      return;
    }
    const here = this.#match(HERE);
    if (here === undefined) {
      this.#at += 1;
      return;
    }
    const [whole, dash, single, double, bare = ''] = here;
    const literal = single !== undefined || double !== undefined || whole.includes('\\');
    this.#waiting.push({ word: single ?? double ?? bare, literal, tabs: dash === '-' });
    this.#at += whole.length;
  }

  /** The lines that follow belong to what was begun by `<<`: there, quotes are characters. */
  #hereDocuments(): void {
    for (const { word, literal, tabs } of this.#waiting.splice(0)) {
      while (this.#at < this.#text.length) {
        const end = this.#text.indexOf('\n', this.#at);
        const lineEnd = end === -1 ? this.#text.length : end;
        const line = this.#text.slice(this.#at, lineEnd);
        if ((tabs ? line.replace(/^\t+/, '') : line) === word) {
          this.#at = lineEnd + 1;
          break;
        }
        if (!literal) this.#hereLine(lineEnd);
        this.#at = lineEnd + 1;
      }
    }
  }

  #hereLine(lineEnd: number): void {
    const depth = this.#contexts.length;
    while (this.#at < lineEnd) {
      if (this.#text[this.#at] === '\\') this.#at += 2;
      else if (this.#text[this.#at] === '$') this.#dollar(true);
      else this.#at += 1;
    }
    // What a line leaves open is not followed into the next.
    this.#contexts.length = depth;
  }

  #use(name: string, start: number, end: number): void {
    this.#uses.push({ name, start, end });
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text) ?? undefined;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #skipTo(end: string, from: number, escapes = false): void {
    let at = this.#at + from;
    while (at < this.#text.length && this.#text[at] !== end) at += escapes && this.#text[at] === '\\' ? 2 : 1;
    this.#at = at + 1;
  }
}
