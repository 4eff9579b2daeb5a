// The addon in several worker threads at once, each with its own nets.
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { compiledLibrary } from '../helpers/dist.js';

const steps = 20;
let library: string;

/** A worker thread that trains on the device. */
function makeWorker(device: Device, seed: number, stepsOfWorker = steps): Worker {
  return new Worker(new URL('../helpers/train-worker.mjs', import.meta.url), {
    workerData: { library, seed, steps: stepsOfWorker },
    env: { ...process.env, RESIDUA_DEVICE: device.name },
  });
}

/** Trains in a worker thread and gives its losses. */
function trainInWorker(device: Device, seed: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const worker = makeWorker(device, seed);
    let losses: number[] | undefined;
    worker.once('message', (message: number[]) => {
      losses = message;
    });
    worker.once('error', reject);
    worker.once('exit', (status) =>
      losses ? resolve(losses) : reject(new Error(`The worker sent nothing and ended with status ${status}.`)),
    );
  });
}

beforeAll(() => {
  library = pathToFileURL(compiledLibrary()).href;
}, 120_000);

describe.each(testDevices)('worker threads on %s', (device) => {
  test('two train at the same time, as each does alone', async () => {
    const together = await Promise.all([trainInWorker(device, 1), trainInWorker(device, 2)]);
    for (const [i, losses] of together.entries()) {
      expect(losses).toHaveLength(steps);
      expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
      expect(await trainInWorker(device, i + 1)).toEqual(losses);
    }
    expect(together[0]).not.toEqual(together[1]);
  });

  test('many come and go', async () => {
    for (let round = 0; round < 4; round++) {
      const [a, b, c] = await Promise.all([3, 3, 3].map((seed) => trainInWorker(device, seed)));
      expect(a).toEqual(b);
      expect(b).toEqual(c);
    }
  });

  test('one that is ended in the middle of its work leaves the others alone', async () => {
    const ended = makeWorker(device, 4, 1e9);
    const exited = new Promise((resolve) => ended.once('exit', resolve));
    const other = trainInWorker(device, 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await ended.terminate();
    await exited;
    expect(await other).toEqual(await trainInWorker(device, 1));
  });
});
