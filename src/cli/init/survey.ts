import { existsSync, opendirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { readRegularSync } from '../../data/files.js';
import { parseJson } from '../../data/json.js';
import { displayText } from '../../data/text.js';

/** What is in a folder, as far as it decides which plan would be of use there. */
export interface Survey {
  /** Whether a git work tree contains it. */
  readonly git: boolean;
  /** The scripts of its package.json, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** What runs them. */
  readonly packageManager: 'npm' | 'pnpm' | 'yarn' | 'bun';
  /** The test runner that can take one file, and the files that it would take. */
  readonly tests: { readonly command: readonly string[]; readonly pattern: TestPattern; readonly files: number } | undefined;
  readonly images: number;
  readonly otherMedia: number;
  /** Text files of usual kinds. */
  readonly texts: number;
  readonly files: number;
  /** Whether the folder is larger than what was looked at. */
  readonly partial: boolean;
}

/** Names of test files, as `find` takes them. */
export type TestPattern = readonly string[];

/** A look, not an inventory: a large folder must not keep anybody waiting. */
const MOST_ENTRIES = 20_000;
const MOST_DEPTH = 10;
/** Folders of dependencies and results: nobody wants a plan for them. */
export const LEFT_OUT: readonly string[] = [
  'node_modules',
  '.git',
  '.waveplan',
  'dist',
  'build',
  'target',
  'vendor',
  '.venv',
  'venv',
  '__pycache__',
  'coverage',
];

const IMAGES = new Set(['.jpg', '.jpeg', '.png', '.gif', '.webp', '.avif', '.heic', '.tif', '.tiff', '.bmp', '.svg']);
const OTHER_MEDIA = new Set(['.mp3', '.flac', '.wav', '.ogg', '.m4a', '.mp4', '.mov', '.mkv', '.avi', '.webm']);
const TEXTS = new Set([
  '.md',
  '.txt',
  '.csv',
  '.json',
  '.yaml',
  '.yml',
  '.html',
  '.css',
  '.js',
  '.mjs',
  '.ts',
  '.tsx',
  '.jsx',
  '.py',
  '.go',
  '.rs',
  '.java',
  '.c',
  '.h',
  '.cpp',
  '.rb',
  '.php',
  '.sh',
  '.sql',
  '.tex',
  '.xml',
]);

const JS_TESTS: TestPattern = ['*.test.js', '*.test.mjs', '*.test.ts', '*.test.tsx', '*.spec.js', '*.spec.ts'];
/** Of Node's own runner, which takes no TypeScript. */
const NODE_TESTS: TestPattern = ['*.test.js', '*.test.mjs'];
const PYTHON_TESTS: TestPattern = ['test_*.py', '*_test.py'];

/** Looks at a folder; reads its package.json and names of files, and writes nothing. */
export function surveyFolder(folder: string): Survey {
  const counts = { images: 0, otherMedia: 0, texts: 0, files: 0, entries: 0 };
  const tests: FoundTests = { js: 0, node: 0, python: 0 };
  const visit = (path: string, depth: number): void => {
    for (const { name, directory } of entriesOf(path)) {
      if (counts.entries >= MOST_ENTRIES) return;
      counts.entries += 1;
      if (directory) {
        if (!LEFT_OUT.includes(name) && depth < MOST_DEPTH) visit(join(path, name), depth + 1);
        continue;
      }
      counts.files += 1;
      const extension = extname(name).toLowerCase();
      if (IMAGES.has(extension)) counts.images += 1;
      else if (OTHER_MEDIA.has(extension)) counts.otherMedia += 1;
      else if (TEXTS.has(extension)) counts.texts += 1;
      if (/\.(test|spec)\.(m?js|tsx?)$/.test(name)) {
        tests.js += 1;
        if (/\.test\.m?js$/.test(name)) {
          tests.node += 1;
          tests.sample ??= join(path, name);
        }
      } else if (/^test_.*\.py$|_test\.py$/.test(name)) tests.python += 1;
    }
  };
  visit(folder, 0);
  const { scripts, dependencies } = readPackage(folder);
  return {
    git: isInGit(folder),
    scripts,
    packageManager: managerOf(folder),
    tests: testsOf(folder, dependencies, tests),
    images: counts.images,
    otherMedia: counts.otherMedia,
    texts: counts.texts,
    files: counts.files,
    partial: counts.entries >= MOST_ENTRIES,
  };
}

/** Test files by name. */
interface FoundTests {
  js: number;
  /** Those that Node can run by itself, and one of them. */
  node: number;
  sample?: string;
  python: number;
}

/** A larger file is no source that somebody wrote. */
const SOURCE_BYTES = 1_000_000;

function usesNodeTest(file: string): boolean {
  try {
    return /['"]node:test['"]/.test(displayText(readRegularSync(file, SOURCE_BYTES)));
  } catch {
    return false;
  }
}

function testsOf(folder: string, dependencies: ReadonlySet<string>, { js, node, sample, python }: FoundTests): Survey['tests'] {
  const local = (name: string) => join('node_modules', '.bin', name);
  const has = (name: string) => dependencies.has(name) && existsSync(join(folder, local(name)));
  if (js > 0 && has('vitest')) return { command: [local('vitest'), 'run'], pattern: JS_TESTS, files: js };
  if (js > 0 && has('jest')) return { command: [local('jest')], pattern: JS_TESTS, files: js };
  if (sample !== undefined && usesNodeTest(sample)) return { command: ['node', '--test'], pattern: NODE_TESTS, files: node };
  const config = ['pytest.ini', 'pyproject.toml', 'tox.ini', 'setup.cfg', 'conftest.py'].some((name) =>
    existsSync(join(folder, name)),
  );
  return python > 0 && config ? { command: ['python3', '-m', 'pytest', '-q'], pattern: PYTHON_TESTS, files: python } : undefined;
}

function entriesOf(path: string): { readonly name: string; readonly directory: boolean }[] {
  try {
    const entries: { readonly name: string; readonly directory: boolean }[] = [];
    const open = opendirSync(path);
    try {
      for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
        // Links are not followed: they lead elsewhere, or in a circle.
        if (entry.isDirectory() || entry.isFile()) entries.push({ name: entry.name, directory: entry.isDirectory() });
        if (entries.length >= MOST_ENTRIES) break;
      }
    } finally {
      open.closeSync();
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    // A folder that cannot be read holds nothing for a plan.
    return [];
  }
}

function readPackage(folder: string): {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: ReadonlySet<string>;
} {
  const nothing = { scripts: {}, dependencies: new Set<string>() };
  try {
    const file = join(folder, 'package.json');
    const read = parseJson(displayText(readRegularSync(file, SOURCE_BYTES)));
    const parsed = read.ok ? read.value : undefined;
    const field = (name: string): readonly (readonly [string, unknown])[] => {
      const value =
        typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>)[name] : undefined;
      return typeof value === 'object' && value !== null ? Object.entries(value) : [];
    };
    return {
      scripts: Object.fromEntries(field('scripts').filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
      dependencies: new Set([...field('dependencies'), ...field('devDependencies')].map(([name]) => name)),
    };
  } catch {
    return nothing;
  }
}

function managerOf(folder: string): Survey['packageManager'] {
  const has = (name: string) => existsSync(join(folder, name));
  if (has('pnpm-lock.yaml')) return 'pnpm';
  if (has('yarn.lock')) return 'yarn';
  return has('bun.lock') || has('bun.lockb') ? 'bun' : 'npm';
}

function isInGit(folder: string): boolean {
  for (let at = folder; ; at = join(at, '..')) {
    if (existsSync(join(at, '.git'))) return true;
    if (join(at, '..') === at) return false;
  }
}
