const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** A number as the panel's sentences write it: `1,000`. */
export function formatCount(value: number): string {
  return COUNT.format(value);
}
