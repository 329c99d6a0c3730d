import { statSync } from 'node:fs';
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { BUILT_IN_ACTIONS, isBuiltInAction } from './built-in.js';
import { closest } from './closest.js';
import type { Report } from './problems.js';
import { neighbour } from './read-source.js';
import type { SourceNode } from './source-node.js';
import type { SourceTexts } from './source-texts.js';
import { TEMPLATE_START } from './template.js';
import type { Work } from './valid-plan.js';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/** Looks up modules for one plan; remembers what it found, since many tasks use one module. */
export class ModuleFinder {
  readonly #sources: SourceTexts;
  readonly #files = new Map<string, boolean>();

  readonly #mustExist: boolean;

  /** Paths under `uses` are relative to the file that they stand in. */
  constructor(sources: SourceTexts, options: { readonly mustExist: boolean } = { mustExist: true }) {
    this.#sources = sources;
    this.#mustExist = options.mustExist;
  }

  /** The work behind `uses`; `undefined` where it was reported. */
  find(uses: string, node: SourceNode, report: Report): Work | undefined {
    if (isBuiltInAction(uses)) return { kind: 'builtin', action: uses };
    const problem = (message: string, hint?: string): undefined => {
      report({ code: 'MODULE', message, span: node, hint });
    };
    if (uses.includes(TEMPLATE_START)) return problem("'uses' is fixed: it holds no expressions", "put what varies under 'with'");
    const source = this.#sources.at(node.start);
    const folder = dirname(source.file);
    const hash = uses.lastIndexOf('#');
    const path = hash === -1 ? uses : uses.slice(0, hash);
    const exportName = hash === -1 ? 'default' : uses.slice(hash + 1);
    if (!/^\.{1,2}\//.test(path) && !isAbsolute(path))
      return problem(`'${uses}' is neither built in nor a path`, this.#pathHint(path, folder));
    if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exportName)) {
      return problem(
        `'${exportName}' cannot be the name of an export`,
        'write ./file.ts#name, or ./file.ts for the default export',
      );
    }
    if (!EXTENSIONS.includes(extname(path))) {
      return problem(`'${path}' is not a module: its name must end in ${EXTENSIONS.join(', ')}`);
    }
    const file = resolve(folder, path);
    if (this.#mustExist && !this.#isFile(file)) return problem(`there is no module '${path}'`, this.#nearHint(file));
    return { kind: 'module', uses: source === this.#sources.main ? uses : this.#fromThePlan(file, exportName), file, exportName };
  }

  /** As the plan's own file would say it: one name for one module, so that equal names are equal work. */
  #fromThePlan(file: string, exportName: string): string {
    const path = relative(dirname(this.#sources.main.file), file).split(sep).join('/');
    return `${path.startsWith('../') ? '' : './'}${path}${exportName === 'default' ? '' : `#${exportName}`}`;
  }

  #isFile(file: string): boolean {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const found = isFile(file);
    this.#files.set(file, found);
    return found;
  }

  #pathHint(path: string, folder: string): string {
    const asPath = `./${path}`;
    if (this.#isFile(resolve(folder, asPath))) return `did you mean '${asPath}'?`;
    const near = closest(path, BUILT_IN_ACTIONS);
    return near === undefined ? "a module's path begins with ./ or ../" : `did you mean '${near}'?`;
  }

  #nearHint(file: string): string {
    return neighbour(file) ?? `it was looked for at ${file}`;
  }
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    // Missing, or a name that no file can have: too long, or with a NUL.
    return false;
  }
}
