// The connections of a server, and how many requests each has in progress. Node waits for all of them when it closes, also for those that
// browsers open in advance and never use, and without its usual limits of time.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  readonly #requests = new Map<Socket, number>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.on('close', () => this.#requests.delete(socket));
    });
  }

  /** A request has come; it is in progress until its response is closed. */
  note({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#change(socket, 1);
    response.on('close', () => this.#change(socket, -1));
  }

  #change(socket: Socket, by: number): void {
    const requests = this.#requests.get(socket);
    if (requests !== undefined) this.#requests.set(socket, requests + by);
  }

  /** Ends those that have never sent anything. */
  endUnused(): void {
    this.#end((socket) => socket.bytesRead === 0);
  }

  /** Ends those without a request in progress. */
  endIdle(): void {
    this.#end(() => true);
  }

  #end(which: (socket: Socket) => boolean): void {
    for (const [socket, requests] of this.#requests) if (requests === 0 && which(socket)) socket.destroy();
  }
}
