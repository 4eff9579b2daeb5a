// An HTTP server on this machine for tests of downloads: with ranges or without, one that drops connections, stalls or refuses.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach } from 'vitest';

export interface ServerBehaviour {
  /** Contents by name. */
  files: Record<string, Uint8Array>;
  /** Bytes after which each connection is dropped. */
  dropAfter: number;
  /** How many requests have their connections dropped; those after them are served. */
  drops: number;
  /** Bytes after which nothing more comes, while `drops` lasts. */
  stall: boolean;
  ranges: boolean;
  /** Status of answers without content. */
  status: number | undefined;
}

const defaults: ServerBehaviour = {
  files: {},
  dropAfter: Number.POSITIVE_INFINITY,
  drops: 0,
  stall: false,
  ranges: true,
  status: undefined,
};

export interface FileServer {
  behave(behaviour: Partial<ServerBehaviour>): void;
  url(name?: string): string;
  /** The range headers of the requests so far, 'all' for none. */
  requests: string[];
}

/** Starts for the tests of a file, and behaves well before each of them. */
export function fileServer(): FileServer {
  let behaviour = { ...defaults };
  let server: Server;
  const requests: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(request.headers.range ?? 'all');
    const content = behaviour.files[request.url?.slice(1) ?? ''];
    const status = behaviour.status ?? (content ? undefined : 404);
    if (status !== undefined || !content) {
      response.writeHead(status as number).end();
      return;
    }
    const from = behaviour.ranges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    if (from > 0 && from >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const headers: Record<string, string | number> = { 'content-length': content.length - from };
    if (from > 0) headers['content-range'] = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(from > 0 ? 206 : 200, headers);
    if (behaviour.drops-- <= 0) {
      response.end(content.subarray(from));
      return;
    }
    response.write(content.subarray(from, from + behaviour.dropAfter));
    if (behaviour.stall) return;
    await wait(50); // so that what was written arrives
    response.destroy();
  };
  beforeAll(async () => {
    server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  });
  beforeEach(() => {
    behaviour = { ...defaults };
    requests.length = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    behave: (change) => {
      behaviour = { ...behaviour, ...change };
    },
    url: (name = '') => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`,
    requests,
  };
}
