/** What one subtask does while nothing holds it up. Seconds. */
export interface Demand {
  /** In which it waits for something that is not shared: a server, a timer. */
  readonly waiting: number;
  /** In which it keeps a core busy; above 0. */
  readonly computing: number;
}

/** From so many agents on, the knee is narrow beside their number. */
const MANY = 2000;
/** Terms are scaled down beyond this, long before they are too large for a number. */
const LARGE = 1e200;

/**
 * Subtasks a second of agents that share cores. Between few agents, which seldom wait for a core, and so many that the cores are always
 * busy, lies a knee at which both cost: the machine-repairman model of M/M/m queues with a finite source (L. Kleinrock, "Queueing
 * Systems", vol. 1, 1975, section 3.9). Exact for any lengths where cores are shared in turns, but for work that is of one length and
 * in step, which meets a little less often.
 */
export function sharedThroughput(agents: number, { waiting, computing }: Demand, cores: number): number {
  const free = agents / (waiting + computing);
  if (agents <= cores || waiting <= 0 || agents > MANY) return Math.min(free, cores / computing);
  // By the number k of agents that are at a core or wait for one: how often that is the case, up to a common factor.
  let [weight, sum, busy] = [1, 1, 0];
  for (let k = 1; k <= agents; k++) {
    const atWork = Math.min(k, cores);
    weight *= ((agents - k + 1) * computing) / (waiting * atWork);
    sum += weight;
    busy += weight * atWork;
    if (weight > LARGE) [weight, sum, busy] = [weight / LARGE, sum / LARGE, busy / LARGE];
  }
  return busy / sum / computing;
}

/** Halvings of the interval in which a waiting time is looked for: to a millionth of it. */
const HALVINGS = 20;

/**
 * The other way round: how long a subtask waits by itself that was seen to take `seconds` in all, of which it computed `computing`, while
 * so many agents shared the cores; the rest of its time it waited for a core. At least 0, at most all that it did not compute.
 */
export function waitingByItself(seconds: number, computing: number, agents: number, cores: number): number {
  const count = Math.max(1, Math.round(agents));
  let [least, most] = [0, Math.max(0, seconds - computing)];
  for (let i = 0; i < HALVINGS; i++) {
    const waiting = (least + most) / 2;
    if (count / sharedThroughput(count, { waiting, computing }, cores) > seconds) most = waiting;
    else least = waiting;
  }
  return (least + most) / 2;
}
