import type { PoolUse } from '../model/run-event.js';
import { counted, figure } from './figures.js';

/** A pool's peak against its cap: `db: 4 of 4 held at most, 120 starts`. */
export function poolText({ name, max, ratePerMinute, peak, starts }: PoolUse): string {
  const held = max === undefined ? `${figure(peak)} held at most` : `${figure(peak)} of ${figure(max)} held at most`;
  const rate = ratePerMinute === undefined ? '' : `, at ${figure(ratePerMinute)}/min`;
  return `${name}: ${held}, ${counted(starts, 'start')}${rate}`;
}
