// serve: the answers are the net's, alone and fifty at a time; the routes; nothing stays behind; options that are wrong.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ConfigError, cpu, memory, type NetServer, type nn, type ServeOptions, serve } from '../../lib/index.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { supports } from '../helpers/devices.js';
import {
  type Answer,
  byClass,
  classNames,
  metric,
  type Picture,
  picture,
  post,
  probabilitiesOf,
  RawConnection,
  served,
  side,
  smallNet,
} from './test-server.js';

let net: nn.Block;
let server: NetServer;
let pictures: Picture[];

beforeAll(async () => {
  net = smallNet();
  server = await served(net, { maxDelay: 50 });
  pictures = await Promise.all(Array.from({ length: 50 }, (_, i) => picture(i)));
});

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
}

test('one picture: the likeliest classes, sorted, with names', async () => {
  const response = await post(server, pictures[0]!.file, '/predict?top=3');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const { classes } = (await response.json()) as Answer;
  const expected = probabilitiesOf(net, pictures[0]!)
    .map((probability, number) => ({ class: number, name: classNames[number], probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, 3);
  expect(classes.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  expectClose(
    classes.map(({ probability }) => probability),
    expected.map(({ probability }) => probability),
  );
});

test('of more classes than there are, all', async () => {
  for (const top of [classNames.length, classNames.length + 1, '1'.repeat(400)]) {
    const response = await post(server, pictures[0]!.file, `/predict?top=${top}`);
    expect(((await response.json()) as Answer).classes).toHaveLength(classNames.length);
  }
});

test('fifty at a time: each gets what the net says of its picture alone, and they ran in batches', async () => {
  const alone = pictures.map((one) => probabilitiesOf(net, one));
  expect(new Set(alone.map((row) => row.map((p) => p.toFixed(3)).join())).size).toBe(50); // told apart
  const before = {
    images: await metric(server, 'residua_images_total'),
    batches: await metric(server, 'residua_batch_size_count'),
  };
  const answers = await Promise.all(
    pictures.map(async ({ file }) => (await (await post(server, file)).json()) as Answer),
  );
  for (const [i, answer] of answers.entries()) expectClose(byClass(answer), alone[i] as number[]);
  expect((await metric(server, 'residua_images_total')) - before.images).toBe(50);
  expect((await metric(server, 'residua_batch_size_count')) - before.batches).toBeLessThan(25);
});

test('JPEG and WebP, larger than the net takes', async () => {
  const solid = sharp({ create: { width: 90, height: 60, channels: 3, background: '#a03010' } });
  const colour = [0xa0, 0x30, 0x10].map((value) => value / 255);
  const pixels = Float32Array.from(colour.flatMap((value) => new Array<number>(side * side).fill(value)));
  const expected = probabilitiesOf(net, { pixels, file: Buffer.alloc(0) });
  const webp = await solid.clone().webp({ lossless: true }).toBuffer();
  expectClose(byClass((await (await post(server, webp)).json()) as Answer), expected);
  const jpeg = await post(server, await solid.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer());
  for (const [i, probability] of byClass((await jpeg.json()) as Answer).entries())
    expect(probability).toBeCloseTo(expected[i] as number, 1);
});

test('/model, /health, and the headers of every answer', async () => {
  const model = await fetch(`${server.url}/model`);
  expect(await model.json()).toMatchObject({
    name: 'small',
    inputShape: [3, side, side],
    classes: classNames,
    device: 'cpu',
  });
  const health = await fetch(`${server.url}/health`);
  expect({ status: health.status, body: await health.json() }).toEqual({ status: 200, body: { status: 'ok' } });
  const absent = await fetch(`${server.url}/none`);
  for (const { headers } of [model, health, absent]) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('the page may load nothing, and run nothing but its own script', async () => {
  const page = await fetch(`${server.url}/`);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^ ;]+'; style-src 'sha256-[^ ;]+'; /);
  expect(policy).not.toMatch(/https?:|unsafe|\*/);
  expect(await page.text()).not.toMatch(/(src|href)="(https?:)?\/\//);
  const head = await fetch(`${server.url}/`, { method: 'HEAD' });
  expect({ status: head.status, body: await head.text() }).toEqual({ status: 200, body: '' });
});

test('/metrics is in the format of Prometheus, and its histograms add up', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+)$/);
  expect(text).toMatch(/^residua_requests_total\{route="\/predict",status="200"\} \d+$/m);
  const buckets = [...text.matchAll(/^residua_batch_size_bucket\{le="([^"]+)"\} (\d+)$/gm)].map(
    ([, le, n]) => [le, Number(n)] as const,
  );
  expect(buckets.map(([le]) => le)).toEqual(['1', '2', '4', '8', '+Inf']);
  const counts = buckets.map(([, n]) => n);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts.at(-1)).toBe(await metric(server, 'residua_batch_size_count'));
  expect(await metric(server, 'residua_batch_size_sum')).toBe(await metric(server, 'residua_images_total'));
  expect(await metric(server, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
});

test('no tensor stays behind, whatever became of the requests', async () => {
  const round = async (): Promise<void> => {
    const good = pictures.slice(0, 11).map(({ file }) => post(server, file));
    const broken = post(server, pictures[0]!.file.subarray(0, 60));
    const leaving = new RawConnection(server).writeHalf(pictures[1]!.file);
    await new Promise((resolve) => setTimeout(resolve, 20));
    leaving.hangUp();
    await Promise.all((await Promise.all([...good, broken])).map((response) => response.text()));
  };
  await round();
  await collectGarbage();
  const { tensors, bytes } = memory();
  for (let i = 0; i < 5; i++) await round();
  expect(memory()).toMatchObject({ tensors, bytes });
  expect(await metric(server, 'residua_requests_in_progress')).toBe(0);
});

test.runIf(supports(cpu(), 'bfloat16'))('bfloat16 computes in that', async () => {
  const half = await served(net, { precision: 'bfloat16', maxBatch: 1 });
  const found = byClass((await (await post(half, pictures[0]!.file)).json()) as Answer);
  const exact = probabilitiesOf(net, pictures[0]!);
  for (const [i, probability] of found.entries())
    expect(Math.abs(probability - (exact[i] as number))).toBeLessThan(0.02);
  expect(Math.max(...found.map((p, i) => Math.abs(p - (exact[i] as number))))).toBeGreaterThan(1e-6);
});

test('a net that gives NaN: 500, and the reason in the log', async () => {
  const damaged = smallNet();
  damaged.collectParams().get('4.bias')?.setData(new Float32Array(classNames.length).fill(Number.NaN));
  const onError = vi.fn();
  const response = await post(await served(damaged, { onError }), (await picture(0)).file);
  expect(response.status).toBe(500);
  expect(String(onError.mock.calls[0]?.[0])).toContain('its weights may be damaged');
});

describe('what cannot be served', () => {
  const input = { inputShape: [3, side, side] as const, port: 0 };
  test.each<[string, ServeOptions, RegExp]>([
    ['an option it does not know', { ...input, prot: 1 } as ServeOptions, /does not know the option 'prot'/],
    ['a port', { ...input, port: 65536 }, /port .* at most 65535/],
    ['a batch', { ...input, maxBatch: 0 }, /maxBatch .* at least 1/],
    ['a shape', { ...input, inputShape: [2, 12, 12] }, /inputShape .* 1 or 3 channels, got \[2,12,12\]/],
    ['a resize smaller than the input', { ...input, resize: 11 }, /resize .* at least 12/],
    ['names for other classes', { ...input, classNames: ['one'] }, /5 class names.* got 1/],
  ])('%s', async (_what, options, message) => {
    const error = await serve(net, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(message);
  });

  test('a port that is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(serve(net, { ...input, port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use`);
    other.close();
  });
});
