// Writes answers: the headers that all of them have, JSON, errors.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpError } from './http-error.js';

/** For every answer: contents are what they are called, and no other site may frame or embed them. */
const commonHeaders: OutgoingHttpHeaders = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export interface Answer {
  status: number;
  contentType: string;
  body: string;
  headers?: OutgoingHttpHeaders;
}

export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n`, headers };
}

export function errorAnswer({ status, body, headers }: HttpError): Answer {
  return json(status, body, headers);
}

export function send(response: ServerResponse, { status, contentType, body, headers = {} }: Answer): void {
  response.writeHead(status, {
    ...commonHeaders,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/**
 * The client sends its body (Expect: 100-continue) only when somebody reads it, and need not where it is refused. Whether it comes then is
 * not known, so the connection ends with the answer.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  request.once('resume', () => {
    if (!response.headersSent) response.writeContinue();
  });
}

/** Answers what is no HTTP request, or did not come in time: there is no response object for it. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = clientError(error.code);
  const text = `${JSON.stringify(body)}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status]}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

const reasons: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function clientError(code: string | undefined): HttpError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HttpError(408, 'request_too_slow', 'The request came too slowly.');
  if (code === 'HPE_HEADER_OVERFLOW') return new HttpError(431, 'headers_too_large', 'The headers are too large.');
  return new HttpError(400, 'bad_request', 'Expected an HTTP request.');
}
