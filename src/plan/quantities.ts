import { err, ok, type Result } from '../model/result.js';

/*
 * The units in which plans, methodology files and flags state durations, sizes, rates and shares.
 * A bare number is refused where a unit is needed: a plan that says `timeout: 5` and means minutes must not run.
 */

const MILLISECONDS_PER_UNIT = new Map([
  ['ms', 1],
  ['s', 1000],
  ['sec', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const BYTES_PER_UNIT = new Map([
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
  ['tib', 1024 ** 4],
]);

/** How many of the period fit into a minute. */
const PER_MINUTE = new Map([
  ['s', 60],
  ['sec', 60],
  ['second', 60],
  ['m', 1],
  ['min', 1],
  ['minute', 1],
  ['h', 1 / 60],
  ['hour', 1 / 60],
]);

/** Text longer than this is no quantity; it is not echoed either. */
const MAX_LENGTH = 40;

/** The text as messages show it: cut, so that a message stays one line. */
function shown(text: string): string {
  return text.length > MAX_LENGTH ? `'${text.slice(0, MAX_LENGTH)}…'` : `'${text}'`;
}

/**
 * A duration in milliseconds: `200ms`, `3s`, `1.5s`, `5m`, `1h`, `2d`, and joined from large to small, `1h30m`.
 * `sec` and `min` are accepted for `s` and `m`. The error is a message for the user.
 */
export function parseDuration(text: string): Result<number, string> {
  const trimmed = text.trim();
  const wrong = `${shown(text)} is not a duration: write a number and a unit, such as 200ms, 3s, 5m or 1h`;
  if (trimmed.length > MAX_LENGTH) return err(wrong);
  if (/^\d+(\.\d+)?$/.test(trimmed) && Number(trimmed) !== 0) {
    return err(`${shown(text)} has no unit: write ${trimmed}s for seconds, or ${trimmed}ms, ${trimmed}m, ${trimmed}h`);
  }
  if (/^-/.test(trimmed)) return err(`${shown(text)} is negative: a duration is 0 or more`);
  if (trimmed === '0') return ok(0);
  const part = /(\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*([a-z]+)\s*/iy;
  let total = 0;
  let unitBefore = Number.POSITIVE_INFINITY;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    const unit = MILLISECONDS_PER_UNIT.get(match?.[2]?.toLowerCase() ?? '');
    if (match === null || unit === undefined || unit >= unitBefore) return err(wrong);
    total += Number(match[1]) * unit;
    unitBefore = unit;
  }
  return trimmed !== '' && Number.isFinite(total) ? ok(total) : err(wrong);
}

/**
 * A size in bytes. `KB MB GB TB` are decimal (500MB is 500,000,000 bytes), `KiB MiB GiB TiB` are binary
 * (1MiB is 1,048,576 bytes); case does not matter. The error is a message for the user.
 */
export function parseSize(text: string): Result<number, string> {
  const match = text.length > MAX_LENGTH ? null : /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = match === null ? undefined : BYTES_PER_UNIT.get((match[2] ?? '').toLowerCase());
  if (match === null || unit === undefined) {
    return err(`${shown(text)} is not a size: write a number and a unit, such as 500MB, 16GB (decimal) or 512MiB (binary)`);
  }
  const bytes = Math.round(Number(match[1]) * unit);
  return bytes > 0 ? ok(bytes) : err(`${shown(text)} is not a size: it must be more than 0`);
}

/** A rate per minute: `1000/min`, `10/s`, `500/h`. More than 0. The error is a message for the user. */
export function parseRate(text: string): Result<number, string> {
  const match = text.length > MAX_LENGTH ? null : /^\s*(\d+(?:\.\d+)?)\s*\/\s*([a-z]+)\s*$/i.exec(text);
  const perMinute = match === null ? undefined : PER_MINUTE.get((match[2] ?? '').toLowerCase());
  if (match === null || perMinute === undefined) {
    return err(`${shown(text)} is not a rate: write a number and a period, such as 1000/min, 10/s or 500/h`);
  }
  const rate = Number(match[1]) * perMinute;
  return rate > 0 ? ok(rate) : err(`${shown(text)} is not a rate: it must be more than 0`);
}

/** A share from a percentage: `75%` is 0.75. From 0% to 100%. The error is a message for the user. */
export function parsePercent(text: string): Result<number, string> {
  const match = text.length > MAX_LENGTH ? null : /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  if (match === null) return err(`${shown(text)} is not a percentage: write one such as 75%`);
  const percent = Number(match[1]);
  return percent <= 100 ? ok(percent / 100) : err(`${shown(text)} is more than 100%`);
}
