/**
 * How long a server asks to be left alone, in milliseconds; `undefined` where it does not say, or not in a way that can
 * be read. A date is held against the server's own clock where the answer has it (`Date`), so that clocks need not agree.
 */
export function retryAfterMs(
  header: string | undefined,
  clock: { readonly serverDate: string | undefined; readonly now: number },
): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Anything else that `Date.parse` would take, such as '-1' or '1.5', is no HTTP date.
  const at = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  const serverNow = clock.serverDate === undefined ? Number.NaN : Date.parse(clock.serverDate);
  return Math.max(0, at - (Number.isNaN(serverNow) ? clock.now : serverNow));
}
