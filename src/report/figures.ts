import { threeDigits, withFraction } from '../model/digits.js';

/**
 * Figures for people. Nothing here prints NaN, Infinity or an exponent: what is not a number
 * is said in words, because a report with an invented figure is worse than one with a gap.
 */

/** Stands wherever a figure is missing; callers add the reason. */
export const NOT_KNOWN = 'not known yet';

/** Below this a figure in minutes or percent says nothing more. */
const LEAST = 0.0001;
/** Beyond this a figure is a sign of a mistake, and its digits only break the layout. */
const MOST = 1e15;

/** `value` with thousands separators: whole from 100 on, else three significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return NOT_KNOWN;
  const size = Math.abs(value);
  if (size === 0) return '0';
  const sign = value < 0 ? '-' : '';
  if (size < LEAST) return `under ${sign}${LEAST}`;
  if (size > MOST) return `${sign}over ${withFraction(MOST, 0)}`;
  return size >= 100 ? withFraction(value, 0) : threeDigits(value);
}

/** `n` and its noun: `1 agent`, `10,000 agents`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${figure(n)} ${n === 1 ? noun : plural}`;
}

/** A duration as people say it: `40 ms`, `3.2 s`, `1 min 5 s`, `8 h 20 min`, `3 d 4 h`. */
export function humanDuration(ms: number): string {
  if (!Number.isFinite(ms)) return NOT_KNOWN;
  if (ms < 0) return `-${humanDuration(-ms)}`;
  if (Math.round(ms) < 1000) return `${figure(ms)} ms`;
  if (ms < 59_950) return `${threeDigits(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return twoUnits(minutes, 60, 'h', 'min');
  return twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

function twoUnits(small: number, perLarge: number, largeName: string, smallName: string): string {
  const rest = small % perLarge;
  const large = `${figure(Math.floor(small / perLarge))} ${largeName}`;
  return rest === 0 ? large : `${large} ${rest} ${smallName}`;
}

/** Minutes, the methodology's unit, with a readable duration beside it: `0.05 minutes (3 s)`. */
export function minutes(value: number): string {
  if (!Number.isFinite(value)) return NOT_KNOWN;
  return `${figure(value)} minutes (${humanDuration(value * 60_000)})`;
}

/** Minutes and hours: `500 minutes (8.33 hours)`; below an hour also a readable duration. */
export function minutesAndHours(value: number): string {
  if (!Number.isFinite(value)) return NOT_KNOWN;
  const hours = `${figure(value / 60)} hours`;
  const readable = Math.abs(value) < 60 ? `, ${humanDuration(value * 60_000)}` : '';
  return `${figure(value)} minutes (${hours}${readable})`;
}

/**
 * How much faster `parallel` is than `sequential` (same unit), in words that stay true when it is not:
 * `94.9% faster ✅`, `about as fast as one after another`, `not faster: 25% slower than one after another`.
 */
export function efficiency(sequential: number | undefined, parallel: number | undefined): string | undefined {
  if (sequential === undefined || parallel === undefined) return undefined;
  const share = savedShare(sequential, parallel);
  if (share === undefined) return undefined;
  if (Math.abs(share) < 0.005) return 'about as fast as one after another';
  if (share > 0) return `${figure(share * 100)}% faster ✅`;
  return `not faster: ${figure(-share * 100)}% slower than one after another`;
}

/** The share of `sequential` that `parallel` saves; negative when it is slower; absent when nothing can be compared. */
export function savedShare(sequential: number, parallel: number): number | undefined {
  const share = (sequential - parallel) / sequential;
  return Number.isFinite(share) && sequential > 0 ? share : undefined;
}

/** Time saved in minutes (and hours), or how much longer it took. */
export function timeSaved(savedMinutes: number): string {
  if (!Number.isFinite(savedMinutes)) return NOT_KNOWN;
  if (savedMinutes >= 0) return minutesAndHours(savedMinutes);
  return `none: ${minutes(-savedMinutes)} longer than one after another`;
}
