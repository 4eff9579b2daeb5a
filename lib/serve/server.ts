// `serve`: a trained net behind HTTP. Node's own server; requests are batched, limited, and answered before it stops.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../errors.js';
import { Block } from '../nn/index.js';
import { Connections } from './connections.js';
import { ImageClassifier } from './image-classifier.js';
import { page } from './page.js';
import { PredictionRoute } from './prediction-route.js';
import { answerClientError, continueWhenRead, json } from './respond.js';
import { type Route, route } from './router.js';
import { type FullServeOptions, fullServeOptions, type ServeOptions } from './serve-options.js';

/** A server that listens. */
export interface NetServer {
  /** 'http://127.0.0.1:8080' */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Takes no new connections from here on; resolves when all requests in flight are answered. */
  close(): Promise<void>;
}

/**
 * Serves a net that classifies images. Resolves when it listens, each batch size having been run once.
 *
 * `POST /predict?top=5` takes an image file (JPEG, PNG, WebP) as its body and gives `{ classes: [{ class, name, probability }] }`, the
 * likeliest first; `GET /` is a page for people, `/model` tells the net, `/health` whether it stops, `/metrics` is for Prometheus. Errors are
 * `{ error: { code, message } }`. Requests that come at the same time run as one batch. There is no authentication and no TLS: put a proxy
 * before it where strangers can reach it.
 *
 * Throws ConfigError (options; a port that is in use), DeviceError, and what the net throws for its input.
 */
export async function serve(net: Block, options: ServeOptions): Promise<NetServer> {
  if (!(net instanceof Block)) throw new ConfigError(`serve() expected net to be a Block, got ${typeof net}.`);
  const full = fullServeOptions(options);
  const classifier = new ImageClassifier(net, full, full);
  const classes = await classifier.prepare();
  if (full.classNames.length > 0 && full.classNames.length !== classes)
    throw new ConfigError(
      `serve() expected ${classes} class names, one for each output of the net, got ${full.classNames.length}.`,
      { argument: 'classNames', expected: classes, found: full.classNames.length },
    );
  const predictions = new PredictionRoute(classifier, classes, full);
  let closing: Promise<void> | undefined;
  const isStopping = (): boolean => closing !== undefined;
  const routes = routesOf(predictions, modelFacts(classifier, classes, full), isStopping);
  const router = { routes, metrics: predictions.metrics, isStopping, onError: full.onError };
  const server = createServer(timeouts(full));
  const connections = new Connections(server);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    connections.note(request, response);
    void route(request, response, router);
  };
  server.on('request', answer).on('checkContinue', (request, response) => {
    continueWhenRead(request, response);
    answer(request, response);
  });
  server.on('clientError', answerClientError);
  const { port } = await listen(server, full);
  return {
    url: `http://${full.host.includes(':') ? `[${full.host}]` : full.host}:${port}`,
    host: full.host,
    port,
    close: () => {
      closing ??= allAnswered(server, connections, full.bodyTimeout).then(() => predictions.idle());
      return closing;
    },
  };
}

/** Closes the server; resolves when its last request has been answered. What has not become a request in time is dropped. */
async function allAnswered(server: Server, connections: Connections, timeout: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  connections.endUnused();
  const late = setTimeout(() => connections.endIdle(), timeout);
  await closed;
  clearTimeout(late);
}

function routesOf(predictions: PredictionRoute, model: object, isStopping: () => boolean): Map<string, Route> {
  const health = (): ReturnType<typeof json> =>
    isStopping() ? json(503, { status: 'stopping' }) : json(200, { status: 'ok' });
  return new Map<string, Route>([
    ['/', { method: 'GET', handler: () => page }],
    ['/model', { method: 'GET', handler: () => json(200, model) }],
    ['/health', { method: 'GET', handler: health }],
    [
      '/metrics',
      {
        method: 'GET',
        handler: () => ({ status: 200, contentType: 'text/plain; version=0.0.4', body: predictions.metrics.text() }),
      },
    ],
    ['/predict', { method: 'POST', handler: (...request) => predictions.answer(...request) }],
  ]);
}

/** What /model tells. */
function modelFacts(
  classifier: ImageClassifier,
  classes: number,
  { name, inputShape, device, precision, maxBytes, maxPixels }: FullServeOptions,
): object {
  const names = Array.from({ length: classes }, (_, number) => classifier.className(number));
  return { name, inputShape, classes: names, device: device.name, precision, maxBytes, maxPixels };
}

/** The head of a request may take as long as its body; how often Node looks for those that are late. */
function timeouts({ bodyTimeout }: FullServeOptions): Parameters<typeof createServer>[0] & object {
  return {
    headersTimeout: bodyTimeout,
    requestTimeout: 2 * bodyTimeout,
    connectionsCheckingInterval: Math.min(1000, bodyTimeout),
  };
}

/** Throws ConfigError where the address cannot be had. */
async function listen(server: Server, { host, port }: FullServeOptions): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(reasonNotToListen(cause, host, port), { host, port }, { cause });
  });
  return server.address() as AddressInfo;
}

function reasonNotToListen({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `Port ${port} of ${host} is in use: choose another one, or 0 for any that is free.`;
  if (code === 'EACCES') return `Port ${port} of ${host} is not allowed to this user: choose one above 1023.`;
  return `The address ${host}, port ${port}, cannot be listened on: ${message}.`;
}
