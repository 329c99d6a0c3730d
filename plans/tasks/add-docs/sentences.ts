/** What the wording of a doc comment is made from. */
export interface Signature {
  readonly name: string;
  readonly parameters: readonly string[];
  /** `nothing` also for a promise of nothing; `kind` for a type predicate such as `value is Item`. */
  readonly gives: 'nothing' | 'kind' | 'value';
}

/** Verbs that names of functions begin with. A name that begins otherwise is taken for what the function gives. */
const VERBS = new Set(
  `add advance append apply assert assign batch begin bind build cache calculate call cancel capitalize check choose chunk clamp
  clear clone close collect combine commit compact compare compile compose compute configure connect contain convert copy count
  create decode decorate debounce deduplicate define delete dequeue describe detect diff disable dispatch divide drain draw drop emit empty
  enable encode end enqueue ensure equal escape evaluate evict execute expand expect export extend extract fail fetch fill filter find
  finish fire flatten flush fold format generate get greet group guard guess handle hash identify ignore import increase increment indent init
  initialize insert inspect install intersect interpolate invert invoke join keep leave limit link list listen load locate lock
  log look make map mark match measure memoize merge mix move multiply mutate negate normalize notify observe open order
  override pad paginate parse partition pause peek pick plan play pluck poll pop prepare prepend print process produce publish
  pull push put query queue quote raise rank read receive record redact reduce register reject release remove rename render
  repeat replace report request require reset resolve restore resume retry return reverse rotate round run sample save scale
  scan schedule score search seek select send serialize set shift show shuffle shut skip slice slugify snapshot solve sort
  split start stop store strip stringify submit subscribe subtract sum swap sync take tap tell test throttle throw toggle
  tokenize touch transform translate transpose traverse trim truncate try turn unescape union unlock unquote unregister unsubscribe
  unwrap update upload use validate verify visit wait walk warn watch wrap write yield zip`.split(/\s+/),
);

/** Verbs whose object is what comes back: `findUser` gives the user. */
const PRODUCES = /^(build|calculate|compute|create|fetch|find|generate|get|load|make|parse|pick|read|select)$/;

/** Words before which 'the' does not read well: `readAll`, `runInSequence`, `waitFor`. */
const NO_ARTICLE =
  /^(a|all|an|and|any|as|async|at|by|each|every|for|from|if|in|into|is|of|on|once|or|out|sync|to|until|up|when|with)$/;

const PREPOSITION = /^(at|by|for|from|in|into|of|on|to|with)$/;

/** `parseHTTPHeader_v2` becomes `parse`, `http`, `header`, `v2`; of `[Symbol.iterator]` the last word counts. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/^\[Symbol\.(\w+)\]$/, '$1')
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

/** What the function does, as a sentence to start from: `parseDate` becomes 'Parses the date.' */
export function sentenceOf({ name, parameters, gives }: Signature): string {
  const [first = 'run', ...rest] = wordsOf(name);
  const subject = parameters[0] === undefined ? undefined : `the ${noun(parameters[0])}`;
  const last = rest.at(-1);

  if (/^(is|are|has|can|should|was|will|does)$/.test(first)) {
    const verb = first === 'are' ? 'is' : first;
    if (rest.length === 0) return sentence('tells whether it', verb, subject);
    return sentence('tells whether', subject ?? 'it', verb, gives === 'kind' ? withArticle(rest) : rest.join(' '));
  }
  if (first === 'to') return sentence('converts', subject, 'to', ...rest);
  if (first === 'from' || first === 'of') return sentence('creates one', first, rest.length > 0 ? rest.join(' ') : subject);
  if (PREPOSITION.test(first)) return sentence('gives', subject ?? 'the result', first, ...rest);
  if (first === 'main' && rest.length === 0) return 'Runs the program.';

  const [verb, object] = VERBS.has(first) ? [first, rest] : [gives === 'nothing' ? 'run' : 'give', [first, ...rest]];
  if (object.length === 0) return sentence(thirdPerson(verb), subject);
  // `groupBy(items, key)`: what is grouped comes first, what by comes last.
  if (last !== undefined && object.length === 1 && PREPOSITION.test(last)) {
    const other = parameters[1] === undefined ? undefined : `the ${noun(parameters[1])}`;
    return sentence(thirdPerson(verb), subject, last, other);
  }
  const article = NO_ARTICLE.test(object[0] ?? '') ? undefined : 'the';
  return sentence(thirdPerson(verb), article, ...object, last !== undefined && PREPOSITION.test(last) ? subject : undefined);
}

/** What comes back, as far as the name tells: `findUser` becomes 'The user.' */
export function resultOf(name: string): string {
  const [first = '', ...rest] = wordsOf(name);
  const object = VERBS.has(first) ? rest : [first, ...rest];
  const known = PRODUCES.test(first) || !(VERBS.has(first) || first === 'main');
  const clear = object.length > 0 && !NO_ARTICLE.test(object[0] ?? '') && !PREPOSITION.test(object.at(-1) ?? '');
  return known && clear ? sentence('the', ...object) : 'The result.';
}

/** What a parameter of this name is: `maxLength` becomes 'The max length.', `delayMs` 'The delay in ms.' */
export function parameterOf(name: string): string {
  return sentence('the', noun(name));
}

function noun(name: string): string {
  const words = wordsOf(name);
  const last = words.at(-1);
  if (words.length > 1 && last === 'ms') return `${words.slice(0, -1).join(' ')} in ms`;
  if (words.length > 1 && last === 'of') return words.slice(0, -1).join(' ');
  return words.length === 0 ? 'value' : words.join(' ');
}

function withArticle(words: readonly string[]): string {
  return `${/^[aeiou]/.test(words[0] ?? '') ? 'an' : 'a'} ${words.join(' ')}`;
}

function thirdPerson(verb: string): string {
  if (/(s|x|z|ch|sh|o)$/.test(verb)) return `${verb}es`;
  return /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ies` : `${verb}s`;
}

function sentence(...parts: readonly (string | undefined)[]): string {
  const text = parts.filter((part) => part !== undefined && part !== '').join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
