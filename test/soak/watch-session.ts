import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomFrom } from './random-plan.js';

/** What a session holds at a moment. */
export interface Held {
  /** Megabytes that are in use after a collection of garbage. */
  readonly heap: number;
  /** Megabytes of memory that the system gave, which is seldom given back. */
  readonly resident: number;
  /** Open files. */
  readonly files: number;
  readonly threads: number;
}

const PLAN = `version: 1
name: soak
backup: none
tasks:
  list: { run: "find src -name '*.txt' | sort", output: lines, inputs: ["src/**"] }
  upper:
    needs: [list]
    foreach: "\${{ tasks.list.results.stdout }}"
    uses: ./upper.mjs
    with: { file: "\${{ item }}" }
    inputs: ["\${{ item }}"]
    outputs: ["out/\${{ item }}"]
  count: { needs: [upper], run: [sh, -c, "echo $1", sh, "\${{ size(tasks.upper.results) }}"], inputs: [] }
`;
const MODULE = (edition: number) => `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
export const edition = ${edition};
export default ({ file }) => {
  const target = join('out', file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, readFileSync(file, 'utf8').toUpperCase());
};
`;

/** Long enough that a watcher sees what is gone for a moment. */
const gap = () => new Promise((resolve) => setTimeout(resolve, 30));

/** A folder to be watched, and a user who edits in it: mostly saves, and now and then all that an hour of work has. */
export class ScriptedUser {
  readonly folder: string;
  readonly #random: () => number;
  readonly #files = new Set<string>();
  #edits = 0;

  constructor(folder: string, options: { readonly files: number; readonly seed: number }) {
    this.folder = folder;
    this.#random = randomFrom(options.seed);
    mkdirSync(join(folder, 'src'));
    for (let i = 0; i < options.files; i++) this.#write(`src/${i}.txt`, `file ${i}\n`);
    this.#write('plan.yaml', PLAN);
    this.#write('upper.mjs', MODULE(0));
  }

  /** Does the next edit, which always changes something; what it was. */
  async edit(): Promise<string> {
    this.#edits += 1;
    const text = `edit ${this.#edits}\n`;
    const kind = this.#random();
    const files = [...this.#files].filter((name) => name.startsWith('src/'));
    const file = files[Math.floor(this.#random() * files.length)] ?? 'src/0.txt';
    const at = (name: string) => join(this.folder, name);
    if (kind < 0.8) {
      this.#write(file, text);
      return `saved ${file}`;
    }
    if (kind < 0.85) {
      writeFileSync(at('.save.tmp'), text);
      renameSync(at('.save.tmp'), at(file));
      return `renamed over ${file}`;
    }
    if (kind < 0.89) {
      rmSync(at(file));
      await gap();
      this.#write(file, text);
      return `recreated ${file}`;
    }
    if (kind < 0.92) {
      renameSync(at('src'), at('.away'));
      await gap();
      renameSync(at('.away'), at('src'));
      this.#write(file, text);
      return `returned src, and saved ${file}`;
    }
    if (kind < 0.94) {
      const kept = files.map((name) => [name, this.#read(name) ?? ''] as const);
      rmSync(at('src'), { recursive: true });
      await gap();
      mkdirSync(at('src'));
      for (const [name, before] of kept) this.#write(name, before);
      this.#write(file, text);
      return `recreated src, and saved ${file}`;
    }
    if (kind < 0.97) {
      this.#write(`src/new-${this.#edits}.txt`, text);
      return `made src/new-${this.#edits}.txt`;
    }
    if (kind < 0.98 && files.length > 1) {
      rmSync(at(file));
      this.#files.delete(file);
      return `removed ${file}`;
    }
    if (kind < 0.985) {
      rmSync(at('upper.mjs'));
      await gap();
      this.#write('upper.mjs', MODULE(this.#edits));
      return 'changed the module';
    }
    const plan = PLAN.replace('echo $1', `echo $1 ${this.#edits}`);
    if (kind < 0.993) {
      renameSync(at('plan.yaml'), at('.plan'));
      await gap();
      rmSync(at('.plan'));
    }
    this.#write('plan.yaml', plan);
    return 'changed the plan';
  }

  /** The files of which the output is not what the file says. */
  wrong(): readonly string[] {
    return [...this.#files]
      .filter((name) => name.startsWith('src/'))
      .filter((name) => this.#read(name)?.toUpperCase() !== this.#read(join('out', name)));
  }

  /** Resolves when every output follows its file, or after `ms`; the files of which it does not. */
  async settled(ms: number): Promise<readonly string[]> {
    for (const end = performance.now() + ms; ; ) {
      const wrong = this.wrong();
      if (wrong.length === 0 || performance.now() > end) return wrong;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #write(name: string, text: string): void {
    this.#files.add(name);
    writeFileSync(join(this.folder, name), text);
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch {
      return undefined;
    }
  }
}

/** How Node is started so that it tells what it holds. */
export function tellingNode(file: string): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const preload = fileURLToPath(new URL('tell-held.cjs', import.meta.url));
  return { args: ['--expose-gc', '--require', preload], env: { HELD_FILE: file } };
}

/** What a process that was started like that holds now; only where there is /proc. */
export async function heldBy(pid: number, file: string): Promise<Held> {
  // Whole ones: the file is there before what is written to it.
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
  const before = lines().length;
  process.kill(pid, 'SIGUSR2');
  while (lines().length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  const told = JSON.parse(lines().at(-1) ?? '') as Pick<Held, 'heap' | 'resident'>;
  const threads = Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return { ...told, files: readdirSync(`/proc/${pid}/fd`).length, threads };
}
