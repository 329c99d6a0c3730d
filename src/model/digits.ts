/*
 * Numbers as English writes them, as `Intl.NumberFormat('en-US')` has them: to load the rules of a language takes longer than
 * many a command. For finite numbers.
 */

/** With at most so many digits behind the point, and thousands separators: `1,000.5`. */
export function withFraction(value: number, digits: number): string {
  // Beyond, `toFixed` writes an exponent.
  return separated(Math.abs(value) < 1e21 ? value.toFixed(digits) : BigInt(value).toString());
}

/** With three significant digits, and thousands separators: `1,230`, `0.0123`. */
export function threeDigits(value: number): string {
  if (value === 0) return '0';
  // What rounds up to the next power of ten has its digits counted from there.
  const exponent = Number(value.toExponential(2).split('e')[1]);
  return exponent >= 2 ? withFraction(Number(value.toPrecision(3)), 0) : withFraction(value, Math.min(100, 2 - exponent));
}

/** The text of a plain number, without zeros at its end. */
function separated(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  const kept = fraction.replace(/0+$/, '');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (kept === '' ? '' : `.${kept}`);
}
