import { medianOf } from '../../src/model/statistics.ts';

/** What one side of a comparison took, run after run. */
export interface Side {
  readonly name: string;
  /** Runs once; the figure that is compared, such as milliseconds. */
  readonly run: () => number | Promise<number>;
}

/** Two sides that were run in turns. */
export interface Comparison {
  readonly name: string;
  readonly ours: string;
  readonly peer: string;
  readonly unit: string;
  readonly oursSamples: readonly number[];
  readonly peerSamples: readonly number[];
  /** Of the medians. */
  readonly ratio: number;
  /** The least and the most of the ratios turn by turn. */
  readonly spread: readonly [number, number];
  /** The ratio that is aimed at, at most; undefined where it only informs. */
  readonly aim: number | undefined;
  readonly note: string;
}

/** Runs two sides A B A B …, after one run of each that does not count. */
export async function inTurns(options: {
  readonly name: string;
  readonly ours: Side;
  readonly peer: Side;
  readonly rounds: number;
  readonly unit: string;
  readonly aim?: number;
  readonly note?: string;
}): Promise<Comparison> {
  const { name, ours, peer, rounds, unit, aim, note = '' } = options;
  await ours.run();
  await peer.run();
  const oursSamples: number[] = [];
  const peerSamples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    oursSamples.push(await ours.run());
    peerSamples.push(await peer.run());
  }
  const ratios = oursSamples.map((sample, i) => sample / (peerSamples[i] ?? Number.NaN));
  return {
    name,
    ours: ours.name,
    peer: peer.name,
    unit,
    oursSamples,
    peerSamples,
    ratio: medianOf(oursSamples) / medianOf(peerSamples),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    aim,
    note,
  };
}

/** A comparison as the cells of a table: what, ours, peer, unit, ratio, spread, aim. */
export function cellsOf({ name, ours, peer, oursSamples, peerSamples, unit, ratio, spread, aim }: Comparison): readonly string[] {
  return [
    name,
    `${ours}: ${medianOf(oursSamples).toFixed(2)}`,
    `${peer}: ${medianOf(peerSamples).toFixed(2)}`,
    unit,
    ratio.toFixed(3),
    `${spread[0].toFixed(3)} to ${spread[1].toFixed(3)}`,
    aim === undefined ? '' : `${aim.toFixed(2)}${ratio <= aim ? ' met' : ' MISSED'}`,
  ];
}
