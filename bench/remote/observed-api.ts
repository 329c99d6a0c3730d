import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A POST as it came. */
export interface Post {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** An API that is reached through an observer. */
export interface ObservedApi {
  readonly url: string;
  /** Every POST with an idempotency key that came, also those whose answer was lost. */
  readonly posts: readonly Post[];
  readonly close: () => Promise<void>;
}

/** Stands between an HTTP API and its clients, at another address of this machine, and writes down what is posted. Faults pass. */
export async function observe(api: string, host: string): Promise<ObservedApi> {
  const posts: Post[] = [];
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    const key = incoming.headers['idempotency-key'];
    if (incoming.method === 'POST' && typeof key === 'string') posts.push({ key, at: Date.now() });
    passOn(incoming, response, { api, agent });
  });
  server.keepAliveTimeout = 600_000;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    agent.destroy();
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `http://${host}:${port}`, posts, close };
}

function passOn(
  incoming: IncomingMessage,
  response: ServerResponse,
  { api, agent }: { readonly api: string; readonly agent: Agent },
): void {
  const { method, url = '/', headers } = incoming;
  const outgoing = request(new URL(url, api), { method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => incoming.socket.destroy());
  });
  outgoing.on('error', () => incoming.socket.destroy());
  incoming.on('error', () => outgoing.destroy());
  incoming.pipe(outgoing);
}
