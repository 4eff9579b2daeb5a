// serve: a graceful stop. Requests in flight are answered, then everything is closed.
import { expect, test } from 'vitest';
import { metricIs, picture, post, RawConnection, served, smallNet } from './test-server.js';

test('close() answers what is in flight, tells that it stops, and takes nothing new', async () => {
  const server = await served(smallNet());
  const { file } = await picture(1);
  const inFlight = new RawConnection(server).writeHalf(file);
  await metricIs(server, 'residua_requests_in_progress', 1);
  const probe = new RawConnection(server).write('GET /health HTTP/1.1\r\nHost: x\r\n'); // a connection that is not idle
  await post(server, file); // the probe's bytes have arrived by now: they were sent before
  let closed = false;
  const closing = server.close().then(() => {
    closed = true;
  });
  probe.write('\r\n');
  expect(await probe.ended).toMatch(/^HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*\{"status":"stopping"\}\n$/i);
  await expect(post(server, file)).rejects.toThrow('fetch failed');
  expect(closed).toBe(false);
  inFlight.writeRest(file);
  expect(await inFlight.ended).toMatch(/^HTTP\/1\.1 200 [\s\S]*"probability"/);
  await closing;
  await server.close(); // twice is harmless
});

test('half a request delays it no longer than a request may take to arrive', async () => {
  const server = await served(smallNet(), { maxBatch: 1, bodyTimeout: 300 });
  const half = new RawConnection(server).write('GET /health HTTP/1.1\r\nHo');
  const { file } = await picture(1);
  const halfBody = new RawConnection(server).writeHalf(file);
  await metricIs(server, 'residua_requests_in_progress', 1);
  await server.close();
  expect(await half.ended).not.toContain('200');
  expect(await halfBody.ended).toMatch(/^HTTP\/1\.1 408 /);
});

test('a connection that was never used does not delay it', async () => {
  const server = await served(smallNet(), { maxBatch: 1 });
  const unused = new RawConnection(server); // browsers open such ones in advance
  const kept = new RawConnection(server).write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'); // and keep others
  await fetch(`${server.url}/health`);
  const start = performance.now();
  await server.close();
  expect(performance.now() - start).toBeLessThan(4000); // Node's keep-alive time is 5 seconds
  expect(await unused.ended).toBe('');
  expect(await kept.ended).toMatch(/^HTTP\/1\.1 200 /);
});
