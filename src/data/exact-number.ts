/*
 * JSON and JavaScript hold numbers as 64-bit floating point. A decimal fraction such as 0.1 is rounded by every program that reads
 * it; an id of 19 digits that is rounded becomes another id. The rule:
 *
 *   - A whole number must come out as it was written: 9007199254740993 and 1e400 are refused, 1e3 and 9007199254740994 are not.
 *     From 1e21 on, scientific notation is a measurement and follows the rule for fractions.
 *   - A fraction may have up to 17 significant digits, which are enough to write any double. With more, they must be the double's own.
 *   - Nothing but zero becomes zero, and the smallest (subnormal) numbers must come out as they were written.
 */

/** Significant digits that name every double. */
const DOUBLE_DIGITS = 17;
/** Numbers below this one have fewer digits. */
const SMALLEST_NORMAL = 2.2250738585072014e-308;
/** JavaScript writes whole numbers in scientific notation from here on. */
const SCIENTIFIC_FROM = 1e21;

/** Whether a decimal number survives as a double. `literal` is a number of JSON, or one such as `.5` or `+1.`. */
export function isExact(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  const written = decimalOf(literal);
  if (written.digits === '' || value === 0) return written.digits === '';
  const { digits, power } = written;
  const scientific = /e/i.test(literal) && Math.abs(value) >= SCIENTIFIC_FROM;
  const whole = power >= 0 && !scientific;
  if (!whole && Math.abs(value) >= SMALLEST_NORMAL) {
    if (digits.length <= DOUBLE_DIGITS) return true;
    // `toPrecision` knows up to 100 digits, and the rest of a double's own digits repeat no id.
    return digits.length <= 100 && decimalOf(value.toPrecision(digits.length)).digits === digits;
  }
  const kept = decimalOf(String(value));
  return kept.digits === digits && kept.power === power;
}

/** A number as its significant digits, without zeros at their ends, times a power of ten. */
function decimalOf(literal: string): { readonly digits: string; readonly power: number } {
  const [, whole = '', fraction = '', exponent = '0'] = /^[-+]?(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(literal.trim()) ?? [];
  const all = trimZeros(whole + fraction);
  return { digits: all.digits, power: Number(exponent) - fraction.length + all.cut };
}

/** Digits without zeros at both ends, and how many were cut at the end. Linear, which /0+$/ is not. */
function trimZeros(digits: string): { readonly digits: string; readonly cut: number } {
  let begin = 0;
  while (begin < digits.length && digits.charCodeAt(begin) === 0x30) begin += 1;
  let end = digits.length;
  while (end > begin && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return { digits: digits.slice(begin, end), cut: digits.length - end };
}

/** A number that is refused, in words. */
export function inexactMessage(literal: string): string {
  const shown = literal.length > 40 ? `${literal.slice(0, 40)}…` : literal;
  const value = Number(literal);
  const became = Number.isFinite(value) ? `would become ${value}` : 'is too large';
  return `the number ${shown} ${became}: write it as text, in quotes`;
}
