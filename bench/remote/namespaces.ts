import { execFileSync, spawnSync } from 'node:child_process';

/** Why machines cannot be imitated here; undefined where they can. */
export function withoutNamespaces(): string | undefined {
  const name = `wp-try-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.error !== undefined) return 'there is no `ip` (iproute2)';
  if (made.status !== 0) return `network namespaces may not be made here (root?): ${made.stderr.trim()}`;
  const bridge = spawnSync('ip', ['link', 'add', `wpt${process.pid}`, 'type', 'bridge'], { encoding: 'utf8' });
  spawnSync('ip', ['link', 'del', `wpt${process.pid}`]);
  spawnSync('ip', ['netns', 'del', name]);
  return bridge.status === 0 ? undefined : `bridges may not be made here: ${bridge.stderr.trim()}`;
}

/**
 * Machines with a network of their own, as network namespaces of this one, on a bridge whose address is this machine's:
 *
 *   this machine ── bridge ──┬── machine 0
 *                            ├── machine 1
 *                            └── machine 2
 */
export class Network {
  /** The address at which the machines reach this one. */
  readonly host: string;
  readonly #id = process.pid;
  readonly #count: number;
  readonly #onExit = () => this.remove();

  /** Makes so many machines; `remove` must follow, and does so itself when the process exits. */
  constructor(count: number) {
    const subnet = `10.231.${this.#id % 256}`;
    this.host = `${subnet}.1`;
    this.#count = count;
    process.once('exit', this.#onExit);
    try {
      ip('link', 'add', this.#bridge, 'type', 'bridge');
      ip('addr', 'add', `${this.host}/24`, 'dev', this.#bridge);
      ip('link', 'set', this.#bridge, 'up');
      for (let machine = 0; machine < count; machine++) this.#add(machine, `${subnet}.${10 + machine}`);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** What a command runs under to run on a machine. */
  on(machine: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name(machine)];
  }

  /** Nothing reaches the machine any more, and nothing leaves it. */
  cut(machine: number): void {
    ip('link', 'set', this.#cable(machine), 'down');
  }

  heal(machine: number): void {
    ip('link', 'set', this.#cable(machine), 'up');
  }

  /** Takes everything away again, also what was made in part. */
  remove(): void {
    process.off('exit', this.#onExit);
    for (let machine = 0; machine < this.#count; machine++) {
      // The cable goes with the namespace in which its other end is.
      spawnSync('ip', ['link', 'del', this.#cable(machine)]);
      spawnSync('ip', ['netns', 'del', this.#name(machine)]);
    }
    spawnSync('ip', ['link', 'del', this.#bridge]);
  }

  #add(machine: number, address: string): void {
    const name = this.#name(machine);
    ip('netns', 'add', name);
    ip('link', 'add', this.#cable(machine), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('link', 'set', this.#cable(machine), 'master', this.#bridge, 'up');
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }

  get #bridge(): string {
    return `wpb${this.#id}`;
  }

  #name(machine: number): string {
    return `wp-${this.#id}-${machine}`;
  }

  #cable(machine: number): string {
    return `wpv${this.#id}-${machine}`;
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
