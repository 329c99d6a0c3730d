/*
 * Numbers as English writes them, as `Intl.NumberFormat('en-US')` has them: to load the rules of a language takes longer than
 * many a command. For finite numbers.
 */

/** With at most so many digits behind the point, and thousands separators: `1,000.5`. */
export function withFraction(value: number, digits: number): string {
  return rounded(value, (exponent) => exponent + 1 + digits);
}

/** With three significant digits, and thousands separators: `1,230`, `0.0123`. */
export function threeDigits(value: number): string {
  return rounded(value, () => 3);
}

/** Keeps so many digits of the shortest text that means the number: 25.15 rounds up, though what stands for it is a bit less. */
function rounded(value: number, keep: (exponent: number) => number): string {
  const [, digits = '0', power = '0'] = /^-?([\d.]+)e(.*)$/.exec(value.toExponential()) ?? [];
  const all = digits.replace('.', '');
  const exponent = Number(power);
  const kept = Math.min(keep(exponent), all.length);
  // Beyond 2^53, digits are no longer those of a number.
  const up = Number(all[kept] ?? 0) >= 5 ? 1n : 0n;
  const whole = kept < 0 ? 0n : BigInt(`0${all.slice(0, kept)}`) + up;
  const text = placed(whole.toString(), exponent + 1 - kept);
  return value < 0 && whole !== 0n ? `-${text}` : text;
}

/** A whole number times a power of ten. */
function placed(digits: string, power: number): string {
  if (power >= 0) return separated(digits === '0' ? digits : digits + '0'.repeat(power));
  const padded = digits.padStart(1 - power, '0');
  const fraction = padded.slice(power).replace(/0+$/, '');
  return separated(padded.slice(0, power)) + (fraction === '' ? '' : `.${fraction}`);
}

function separated(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}
