// residua serve from outside: the address it prints, its answers, how it stops, ports and options that are wrong.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { interop, models } from '../../lib/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { metricIs, RawConnection } from '../serve/test-server.js';
import { type Ended, residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = temporaryFolder();
const weights = join(folder, 'cifar.safetensors');
const command = ['serve', weights, '--model', 'cifar-resnet20', '--max-batch', '2', '--port'];
let file: Buffer;

beforeAll(async () => {
  const net = models.cifarResNet(20, { classes: 7 });
  net.initialize();
  await interop.saveWeights(net, weights, { names: 'torchvision' });
  file = await sharp({ create: { width: 40, height: 40, channels: 3, background: '#336699' } })
    .png()
    .toBuffer();
});

interface Running {
  url: string;
  host: string;
  port: number;
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Starts it on a free port; resolves when it has said where. */
function started(): Promise<Running> {
  return new Promise((resolve, reject) => {
    const ended = residua([...command, '0'], {
      onStart: (child) => onTestFinished(() => void child.kill('SIGKILL')), // where the test has failed
      onStdout: (stdout, child) => {
        const [, url, port] = /^Serving cifar-resnet20 on cpu at (http:\/\/127\.0\.0\.1:(\d+)) /.exec(stdout) ?? [];
        if (url) resolve({ url, host: '127.0.0.1', port: Number(port), child, ended });
      },
    });
    void ended.then(({ stderr }) => reject(new Error(`it ended: ${stderr}`)));
  });
}

const predictions = (running: Running): Promise<Response> =>
  fetch(`${running.url}/predict?top=7`, { method: 'POST', body: file });

const closeable = (running: Running) => ({ ...running, close: async () => {} });

test('the answers of residua predict; SIGTERM ends it with 0 once the request in flight is answered', async () => {
  const running = await started();
  const served = (await (await predictions(running)).json()) as object;
  const predict = ['predict', '--model', 'cifar-resnet20', '--weights', weights, '--json', '--top', '7', '-'];
  const { stdout } = await residua(predict, { input: (stdin) => stdin.end(file) });
  expect(JSON.parse(stdout)).toEqual({ file: '-', ...served });
  const taken = await residua([...command, String(running.port)]);
  expect(taken).toMatchObject({ status: 1, stdout: '' });
  expect(taken.stderr).toBe(
    `error: Port ${running.port} of 127.0.0.1 is in use: choose another one, or 0 for any that is free.\n`,
  );
  const inFlight = new RawConnection(closeable(running)).writeHalf(file);
  await metricIs(closeable(running), 'residua_requests_in_progress', 1);
  running.child.kill('SIGTERM');
  await expect.poll(() => predictions(running).catch(() => 'refused')).toBe('refused');
  inFlight.writeRest(file);
  expect(await inFlight.ended).toMatch(/^HTTP\/1\.1 200 /);
  expect(await running.ended).toMatchObject({
    status: 0,
    stderr: 'Stopping: requests in flight are answered first; once more leaves at once.\n',
  });
});

test('SIGINT ends it with 130; a second one at once', async () => {
  const quick = await started();
  quick.child.kill('SIGINT');
  expect(await quick.ended).toMatchObject({ status: 130 });
  const held = await started();
  const stuck = new RawConnection(closeable(held)).writeHalf(file);
  await metricIs(closeable(held), 'residua_requests_in_progress', 1);
  held.child.kill('SIGINT');
  await delay(700); // longer than one press may take to arrive twice
  expect(held.child.exitCode).toBeNull();
  held.child.kill('SIGINT');
  expect(await held.ended).toMatchObject({ status: 130 });
  expect(await stuck.ended).toBe('');
});

describe('wrong usage: status 2', () => {
  test.each([
    [['serve'], 'run-or-weights'],
    [[...command, '65536'], '--port'],
    [[...command, '0', '--max-delay', 'x'], '--max-delay'],
    [[...command, '0', '--max-batch', '0'], '--max-batch'],
  ])('%j', async (args, named) => {
    const { status, stdout, stderr } = await residua(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(named);
  });
});

describe.each(['serve', 'predict'])('residua %s --no-tune', (name) => {
  // Images of 32x32 pixels are 2x2 at the end of ResNet-18, where products of matrices are worth timing: the file then tells the choice.
  const large = join(folder, 'resnet18.safetensors');
  const images = join(folder, 'images');

  beforeAll(async () => {
    const net = models.resnet18({ classes: 7 });
    net.initialize();
    await interop.saveWeights(net, large, { names: 'torchvision' });
    mkdirSync(images, { recursive: true });
    for (let i = 0; i < 32; i++) writeFileSync(join(images, `${i}.png`), file);
  });

  async function choicesKept(more: readonly string[]): Promise<string[]> {
    const cache = mkdtempSync(join(folder, 'tuning-'));
    const net = ['--model', 'resnet18', '--size', '32', ...more];
    const args =
      name === 'serve'
        ? ['serve', large, ...net, '--max-batch', '32', '--port', '0']
        : ['predict', '--weights', large, ...net, images];
    const ended = await residua(args, {
      env: { RESIDUA_TUNING_CACHE: cache, RESIDUA_TUNE: 'keep' }, // other tests run beside: what is timed under load is kept too
      onStdout: (stdout, child) => void (stdout.startsWith('Serving') && child.kill('SIGTERM')),
    });
    expect(ended).toMatchObject({ status: 0 });
    return readdirSync(cache);
  }

  test('times no algorithm; without it some are', async () => {
    expect(await choicesKept([])).toHaveLength(1);
    expect(await choicesKept(['--no-tune'])).toEqual([]);
  });
});

test('a net that is not there: status 1', async () => {
  const { status, stderr } = await residua(['serve', join(folder, 'none'), '--port', '0']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: [^\n]+none[^\n]+\n$/);
});
