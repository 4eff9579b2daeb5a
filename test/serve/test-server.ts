// A small net behind `serve`, pictures for it, and what the net itself says of them.
import { connect, type Socket } from 'node:net';
import sharp from 'sharp';
import { afterAll } from 'vitest';
import { init, type NetServer, nn, type ServeOptions, seed, serve, tensor, tidy } from '../../lib/index.js';
import { uniformValues } from '../helpers/values.js';
import { randomizeNorms } from '../interop/random-norms.js';

export const side = 12;
export const classNames = ['cat', 'dog', '<img src=x onerror=alert(1)>', 'owl', 'fox'];

/** Takes [batch, 3, 12, 12]; its five outputs differ from picture to picture. */
export function smallNet(): nn.Block {
  seed(1);
  const net = new nn.Sequential().add(
    new nn.Conv2D(8, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm(),
    new nn.Activation('relu'),
    new nn.Flatten(),
    new nn.Dense(classNames.length),
  );
  net.initialize({ init: new init.Normal(0.15) });
  tidy(() => net.forward(tensor(new Float32Array(3 * side * side), { shape: [1, 3, side, side] })));
  randomizeNorms(net);
  return net;
}

export interface Picture {
  /** A PNG file. */
  file: Buffer;
  /** [3, 12, 12], from 0 to 1 */
  pixels: Float32Array;
}

/** A picture of random pixels, of the net's size: nothing is resized. */
export async function picture(number: number): Promise<Picture> {
  const planes = Uint8Array.from(uniformValues(3 * side * side, 100 + number, 0.5, 0.5), (v) => Math.round(v * 255));
  const interleaved = Uint8Array.from({ length: planes.length }, (_, i) => {
    return planes[(i % 3) * side * side + Math.floor(i / 3)] as number;
  });
  const file = await sharp(interleaved, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
  return { file, pixels: Float32Array.from(planes, (value) => value / 255) };
}

/** Probabilities by class number, from one forward pass of the net on this picture alone. */
export function probabilitiesOf(net: nn.Block, { pixels }: Picture): number[] {
  return tidy(() => [
    ...net
      .forward(tensor(pixels, { shape: [1, 3, side, side] }))
      .softmax(1)
      .dataSync(),
  ]);
}

/** Serves `net` on a free port until the file's tests are done. */
export async function served(net: nn.Block, options: Partial<ServeOptions> = {}): Promise<NetServer> {
  const server = await serve(net, {
    inputShape: [3, side, side],
    classNames,
    name: 'small',
    port: 0,
    maxBatch: 8,
    ...options,
  });
  afterAll(() => server.close());
  return server;
}

export interface Answer {
  classes: { class: number; name: string; probability: number }[];
}

export const byClass = ({ classes }: Answer): number[] =>
  classes.toSorted((a, b) => a.class - b.class).map(({ probability }) => probability);

export const post = (
  server: NetServer,
  body: RequestInit['body'],
  path = '/predict',
  headers: RequestInit['headers'] = {},
): Promise<Response> => fetch(server.url + path, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);

/** The value of a line of /metrics. */
export async function metric(server: NetServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

/** Resolves once the metric has the value. */
export async function metricIs(server: NetServer, name: string, value: number): Promise<void> {
  while ((await metric(server, name)) !== value) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A connection on which a test writes what it likes. */
export class RawConnection {
  readonly #socket: Socket;
  #received = '';
  readonly ended: Promise<string>;

  constructor({ host, port }: NetServer) {
    this.#socket = connect({ host, port });
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
    });
    this.#socket.on('error', () => {});
    this.ended = new Promise((resolve) => this.#socket.on('close', () => resolve(this.#received)));
  }

  write(data: string | Uint8Array): this {
    this.#socket.write(data);
    return this;
  }

  /** The head of a request for a prediction, and the first half of its body. */
  writeHalf(file: Uint8Array): this {
    this.write(`POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: ${file.length}\r\n\r\n`);
    return this.write(file.subarray(0, file.length >> 1));
  }

  writeRest(file: Uint8Array): this {
    return this.write(file.subarray(file.length >> 1));
  }

  hangUp(): void {
    this.#socket.destroy();
  }
}
