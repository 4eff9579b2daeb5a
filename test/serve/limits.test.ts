// serve: every answer that is no prediction, with its status and the code of its JSON; clients that are slow, broken or gone.
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { beforeAll, expect, test, vi } from 'vitest';
import { type NetServer, nn, type Tensor } from '../../lib/index.js';
import { claimingSize } from '../data/image-bytes.js';
import { metric, metricIs, type Picture, picture, post, RawConnection, served, smallNet } from './test-server.js';

let server: NetServer;
let hasty: NetServer; // waits for a request for 0.3 seconds
let one: Picture;
const onError = vi.fn();
const maxBytes = 4096;

/** A net that fails while it is told to. */
class Failing extends nn.Block {
  readonly inner = smallNet();
  fails = false;
  forward(x: Tensor): Tensor {
    if (this.fails) throw new Error('secret of the inside');
    return this.inner.forward(x);
  }
}

const net = new Failing();

beforeAll(async () => {
  one = await picture(1);
  server = await served(net, { maxBytes, maxPixels: 10_000, maxQueue: 1, onError });
  hasty = await served(net, { bodyTimeout: 300, maxBatch: 1 });
});

async function expectError(response: Response, status: number, code: string, message: RegExp): Promise<void> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect({ status: response.status, code: error.code }).toEqual({ status, code });
  expect(error.message).toMatch(message);
}

const encode = (format: 'gif' | 'png' | 'tiff', size: number): Promise<Buffer> =>
  sharp({ create: { width: size, height: size, channels: 3, background: '#123456' } })
    .toFormat(format)
    .toBuffer();

test('404: an address that is none, also one that looks like a file', async () => {
  for (const path of ['/nothing', '/../package.json', '/predict/', '//', '/%00'])
    await expectError(await fetch(server.url + path), 404, 'not_found', /nothing at this address/);
});

test('405 says which methods there are', async () => {
  for (const [path, method, allow] of [
    ['/predict', 'GET', 'POST'],
    ['/predict', 'DELETE', 'POST'],
    ['/', 'POST', 'GET, HEAD'],
    ['/metrics', 'PUT', 'GET, HEAD'],
  ] as const) {
    const response = await fetch(server.url + path, { method });
    expect(response.headers.get('allow')).toBe(allow);
    await expectError(response, 405, 'method_not_allowed', new RegExp(`got ${method}`));
  }
});

test('400: nothing, half an image, a number of classes that is none', async () => {
  await expectError(await post(server, ''), 400, 'body_empty', /got nothing/);
  await expectError(await post(server, one.file.subarray(0, 80)), 400, 'image_broken', /^The image cannot be decoded/);
  await expectError(await post(server, one.file.subarray(0, 20)), 400, 'image_broken', /^The image cannot be decoded/);
  for (const top of ['0', '-1', '1.5', 'all', ''])
    await expectError(
      await post(server, one.file, `/predict?top=${top}`),
      400,
      'top_invalid',
      /whole number from 1 to 5,/,
    );
});

test('415: other formats, forms, compressed bodies', async () => {
  await expectError(await post(server, 'hello'), 415, 'image_format', /JPEG, PNG or WebP/);
  await expectError(await post(server, await encode('gif', 12)), 415, 'image_format', /another format/);
  await expectError(await post(server, await encode('tiff', 12)), 415, 'image_format', /another format/);
  await expectError(await post(server, '<svg xmlns="http://www.w3.org/2000/svg"/>'), 415, 'image_format', /another/);
  const form = new FormData();
  form.append('file', new Blob([one.file]), 'one.png');
  await expectError(await post(server, form), 415, 'image_format', /--data-binary/);
  const zipped = post(server, one.file, '/predict', { 'content-encoding': 'gzip' });
  await expectError(await zipped, 415, 'encoding_unsupported', /gzip/);
});

test('413: too many bytes, announced or not; too many pixels in few bytes', async () => {
  const large = new Uint8Array(maxBytes + 1);
  await expectError(await post(server, large), 413, 'body_too_large', /at most 4096 bytes/);
  const unannounced = Readable.toWeb(Readable.from([large.subarray(0, 4000), large])) as unknown as RequestInit['body'];
  await expectError(await post(server, unannounced), 413, 'body_too_large', /at most 4096 bytes/);
  const bomb = await encode('png', 101);
  expect(bomb.length).toBeLessThan(maxBytes);
  await expectError(await post(server, bomb), 413, 'image_too_large', /at most 10000 pixels, got 101x101/);
  const enormous = await claimingSize(40_000, 40_000);
  await expectError(await post(server, enormous), 413, 'image_too_large', /at most 10000 pixels, got 40000x40000/);
  const strip = await sharp({ create: { width: 300, height: 1, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  await expectError(await post(server, strip), 413, 'image_too_large', /got 300x1, 3600x12 once resized/);
  expect((await post(server, await encode('png', 100))).status).toBe(200);
});

test('413 comes before the body is sent where the client asks', async () => {
  const head = (length: number): string =>
    `POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;
  expect(await new RawConnection(server).write(head(maxBytes + 1)).ended).toMatch(/^HTTP\/1\.1 413 /);
  const small = new RawConnection(server).write(head(one.file.length));
  await metricIs(server, 'residua_requests_in_progress', 1);
  expect(await small.write(one.file).ended).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

test('503 with Retry-After while the queue is full; then it goes on', async () => {
  const slow = new RawConnection(server).writeHalf(one.file);
  await metricIs(server, 'residua_requests_in_progress', 1);
  const refused = await post(server, one.file);
  expect(refused.headers.get('retry-after')).toBe('1');
  await expectError(refused, 503, 'queue_full', /1 requests are in progress/);
  slow.writeRest(one.file);
  await metricIs(server, 'residua_requests_in_progress', 0);
  expect((await post(server, one.file)).status).toBe(200);
  slow.hangUp();
});

test('408: a body and a head that do not come', async () => {
  const body = await new RawConnection(hasty).writeHalf(one.file).ended;
  expect(body).toMatch(/^HTTP\/1\.1 408 /);
  expect(body).toContain('"body_too_slow"');
  const head = await new RawConnection(hasty).write('POST /predict HTTP/1.1\r\nHos').ended;
  expect(head).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request_too_slow"/);
});

test('a body that is refused cannot go on for ever', async () => {
  const endless = new RawConnection(hasty).write(
    'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n',
  );
  const trickle = setInterval(() => endless.write('more'), 50);
  expect(await endless.ended).toMatch(/^HTTP\/1\.1 413 /);
  clearInterval(trickle);
});

test('400: no HTTP', async () => {
  expect(await new RawConnection(server).write('hello\r\n\r\n').ended).toMatch(/^HTTP\/1\.1 400 [\s\S]*"bad_request"/);
});

test('a client that hangs up is counted, and disturbs nobody', async () => {
  const leaving = new RawConnection(server).writeHalf(one.file);
  await metricIs(server, 'residua_requests_in_progress', 1);
  leaving.hangUp();
  await metricIs(server, 'residua_requests_in_progress', 0);
  expect(await metric(server, 'residua_requests_total{route="/predict",status="499"}')).toBeGreaterThanOrEqual(1);
  expect((await post(server, one.file)).status).toBe(200);
  expect(onError).not.toHaveBeenCalled();
});

test('500: what the net throws is for the log, not for the client', async () => {
  net.fails = true;
  const response = await post(server, one.file);
  net.fails = false;
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).toContain('"internal"');
  expect(text).not.toContain('secret');
  expect(onError).toHaveBeenCalledOnce();
  expect(String(onError.mock.calls[0]?.[0])).toContain('secret of the inside');
  expect((await post(server, one.file)).status).toBe(200);
});
