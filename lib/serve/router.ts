// Finds who answers a request, and turns what goes wrong into an answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ClientGone, HttpError } from './http-error.js';
import type { ServerMetrics } from './metrics.js';
import { type Answer, errorAnswer, send } from './respond.js';

export type Handler = (
  request: IncomingMessage,
  query: URLSearchParams,
  signal: AbortSignal,
) => Answer | Promise<Answer>;

export interface Route {
  method: 'GET' | 'POST';
  handler: Handler;
}

export interface RouterOptions {
  /** By path. */
  routes: ReadonlyMap<string, Route>;
  metrics: ServerMetrics;
  isStopping: () => boolean;
  onError: (error: unknown) => void;
}

const clientClosedRequest = 499; // nginx's number for a request whose client did not wait: for the metrics alone

/** Answers one request. Rejects never. */
export async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, metrics, isStopping, onError }: RouterOptions,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort(new ClientGone()));
  const url = URL.parse(request.url ?? '/', 'http://host');
  const path = url && routes.has(url.pathname) ? url.pathname : 'other';
  let answer: Answer;
  try {
    const handler = handlerOf(request, routes.get(path));
    answer = await handler(request, url?.searchParams ?? new URLSearchParams(), gone.signal);
  } catch (error) {
    answer = answerOf(error, onError);
  }
  const status = gone.signal.aborted ? clientClosedRequest : answer.status;
  metrics.requests.add({ route: path, status: String(status) });
  if (gone.signal.aborted) return;
  if (isStopping()) response.setHeader('connection', 'close');
  send(response, answer);
}

/** Throws HttpError 404 and 405. */
function handlerOf({ method = 'GET' }: IncomingMessage, found: Route | undefined): Handler {
  if (!found) throw new HttpError(404, 'not_found', 'There is nothing at this address.');
  const allowed = found.method === 'GET' ? ['GET', 'HEAD'] : [found.method];
  if (allowed.includes(method)) return found.handler;
  const message = `Expected ${allowed.join(' or ')}, got ${method}.`;
  throw new HttpError(405, 'method_not_allowed', message, { allow: allowed.join(', ') });
}

function answerOf(error: unknown, onError: (error: unknown) => void): Answer {
  if (error instanceof HttpError) return errorAnswer(error);
  if (!(error instanceof ClientGone)) onError(error);
  return errorAnswer(new HttpError(500, 'internal', "The prediction failed; the server's log tells why."));
}
