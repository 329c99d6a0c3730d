import type { FileFacts } from './facts.ts';

/** A package's declaration files, added up; copies of a file within a package count once. */
export type PackageFacts = {
  name: string;
  files: number;
  copies: number;
  bytes: number;
  lines: number;
  anyTypes: number;
  exported: number;
  documented: number;
  deprecated: number;
};

/** A share of less than this says little: smaller packages are not ranked by it. */
const RANKED_FROM = { exported: 20, lines: 500 };

/** What the analysis and the second count returned, one entry a subtask. */
export type SummariseInput = {
  readonly analyses: readonly { readonly files: readonly FileFacts[] }[];
  readonly recounts: readonly { readonly files: number }[];
};

/** Adds the facts up by package and words the findings. */
export default function summarise({ analyses, recounts }: SummariseInput) {
  const files = analyses.flatMap((analysis) => analysis.files);
  const packages = packagesOf(files);
  const recounted = total(recounts.map((group) => group.files));
  const check = `Two methods agree on ${count(recounted)} of ${count(files.length)} files`;
  return { packages, summary: [check, ...findings(packages)] };
}

/** One entry per package, in the order of names. */
export function packagesOf(files: readonly FileFacts[]): PackageFacts[] {
  const packages = new Map<string, PackageFacts>();
  const seen = new Set<string>();
  for (const file of files) {
    const sum = packages.get(file.package) ?? emptyPackage(file.package);
    packages.set(file.package, sum);
    sum.files += 1;
    sum.bytes += file.bytes;
    if (seen.has(`${file.package} ${file.hash}`)) {
      sum.copies += 1;
      continue;
    }
    seen.add(`${file.package} ${file.hash}`);
    sum.lines += file.lines;
    sum.anyTypes += file.anyTypes;
    sum.exported += total(Object.values(file.exported));
    sum.documented += file.documented;
    sum.deprecated += file.deprecated;
  }
  return [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function emptyPackage(name: string): PackageFacts {
  return { name, files: 0, copies: 0, bytes: 0, lines: 0, anyTypes: 0, exported: 0, documented: 0, deprecated: 0 };
}

/** The findings, one line each. */
export function findings(packages: readonly PackageFacts[]): string[] {
  const sum = (key: Exclude<keyof PackageFacts, 'name'>) => total(packages.map((facts) => facts[key]));
  const coverage = (facts: PackageFacts) => facts.documented / facts.exported;
  const anyRate = (facts: PackageFacts) => (1000 * facts.anyTypes) / facts.lines;
  const coverageInWords = (facts: PackageFacts) => `${percent(coverage(facts))} of ${count(facts.exported)}`;

  const wide = packages.filter((facts) => facts.exported >= RANKED_FROM.exported);
  const long = packages.filter((facts) => facts.lines >= RANKED_FROM.lines);
  return [
    `${count(packages.length)} packages, ${count(sum('lines'))} lines, ${count(sum('exported'))} exported names`,
    `Largest API: ${top(packages, (facts) => facts.exported)}`,
    `Doc comments: ${percent(sum('documented') / sum('exported'))} of the exported names have one; best ${top(wide, coverage, coverageInWords)}`,
    `Least documented: ${top(wide, (facts) => -coverage(facts), coverageInWords)}`,
    `"any": ${((1000 * sum('anyTypes')) / sum('lines')).toFixed(1)} per 1,000 lines; most in ${top(long, anyRate, (facts) => anyRate(facts).toFixed(1))}`,
    `Deprecated: ${count(sum('deprecated'))} exported names; most in ${top(packages, (facts) => facts.deprecated)}`,
    `Copies: ${count(sum('copies'))} files repeat another of their package; most in ${top(packages, (facts) => facts.copies)}`,
  ];
}

/** The three packages with the highest score, in words; of equal ones, those with more exported names. */
function top(
  packages: readonly PackageFacts[],
  score: (facts: PackageFacts) => number,
  words: (facts: PackageFacts) => string = (facts) => count(score(facts)),
): string {
  const ranked = packages.toSorted((a, b) => score(b) - score(a) || b.exported - a.exported);
  const winners = ranked.slice(0, 3).map((facts) => `${facts.name} (${words(facts)})`);
  return winners.length > 0 ? winners.join(', ') : 'none';
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function percent(share: number): string {
  return Number.isNaN(share) ? 'none' : `${Math.round(100 * share)}%`;
}
