import { statSync } from 'node:fs';
import { extname, isAbsolute, resolve } from 'node:path';
import { closest } from './closest.js';
import type { Report } from './problems.js';
import { neighbour } from './read-source.js';
import type { SourceNode } from './source-node.js';
import { TEMPLATE_START } from './template.js';
import { BUILT_IN_ACTIONS } from './unsupported.js';
import type { Work } from './valid-plan.js';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/** Looks up modules for one plan; remembers what it found, since many tasks use one module. */
export class ModuleFinder {
  readonly #folder: string;
  readonly #files = new Map<string, boolean>();

  readonly #mustExist: boolean;

  /** `folder` is the plan's own: paths under `uses` are relative to it. */
  constructor(folder: string, options: { readonly mustExist: boolean } = { mustExist: true }) {
    this.#folder = folder;
    this.#mustExist = options.mustExist;
  }

  /** The work behind `uses`; `undefined` where it is something built in, or was reported. */
  find(uses: string, node: SourceNode, report: Report): Work | undefined {
    if (BUILT_IN_ACTIONS.includes(uses)) return undefined;
    const problem = (message: string, hint?: string): undefined => {
      report({ code: 'MODULE', message, span: node, hint });
    };
    if (uses.includes(TEMPLATE_START)) return problem("'uses' is fixed: it holds no expressions", "put what varies under 'with'");
    const hash = uses.lastIndexOf('#');
    const path = hash === -1 ? uses : uses.slice(0, hash);
    const exportName = hash === -1 ? 'default' : uses.slice(hash + 1);
    if (!/^\.{1,2}\//.test(path) && !isAbsolute(path))
      return problem(`'${uses}' is neither built in nor a path`, this.#pathHint(path));
    if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exportName)) {
      return problem(
        `'${exportName}' cannot be the name of an export`,
        'write ./file.ts#name, or ./file.ts for the default export',
      );
    }
    if (!EXTENSIONS.includes(extname(path))) {
      return problem(`'${path}' is not a module: its name must end in ${EXTENSIONS.join(', ')}`);
    }
    const file = resolve(this.#folder, path);
    if (this.#mustExist && !this.#isFile(file)) return problem(`there is no module '${path}'`, this.#nearHint(file));
    return { kind: 'module', uses, file, exportName };
  }

  #isFile(file: string): boolean {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const found = isFile(file);
    this.#files.set(file, found);
    return found;
  }

  #pathHint(path: string): string {
    const asPath = `./${path}`;
    if (this.#isFile(resolve(this.#folder, asPath))) return `did you mean '${asPath}'?`;
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
