// Good files of weights, damaged at random: each is read or refused with a CheckpointError, never anything else.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../lib/index.js';
import { openWeights } from '../../lib/interop/weights-file.js';
import { Random } from '../helpers/random.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();
const mutations = 500; // of each file
const structure = 6000; // bytes at both ends, where zip archives and safetensors say what they hold

const special = [0n, 1n, 0xffn, 0xffffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n];

type Change = (bytes: Buffer, at: number, length: number, random: Random) => Uint8Array[];

const changes: readonly Change[] = [
  (bytes, at, _, random) => {
    bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 7));
    return [bytes];
  },
  (bytes, at, _, random) => {
    const integer = Buffer.alloc(8);
    integer.writeBigUInt64LE(random.choose(special));
    integer.copy(bytes, at, 0, random.choose([1, 2, 4, 8]));
    return [bytes];
  },
  (bytes, at) => [bytes.subarray(0, at)],
  (bytes, at, length) => [bytes.subarray(0, at), bytes.subarray(at + length)],
  (bytes, at, length) => [bytes.subarray(0, at + length), bytes.subarray(at)],
  (bytes, at, length) => [bytes.subarray(at + length), bytes.subarray(0, at + length)],
  (bytes, at, length, random) => [
    bytes.subarray(0, at),
    Uint8Array.from({ length }, () => random.integer(0, 255)),
    bytes.subarray(at),
  ],
];

/** The bytes with one to four changes: bits, special integers, pieces that are left out, doubled, moved or random. */
function mutated(whole: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(whole);
  for (let count = random.integer(1, 4); count > 0 && bytes.length > 0; count -= 1) {
    const last = bytes.length - 1;
    const distance = random.integer(0, Math.min(random.choose([last, structure]), last));
    const at = random.choose([distance, last - distance]);
    const length = Math.min(random.integer(1, random.choose([16, 16, 16, 2000])), bytes.length - at);
    bytes = Buffer.concat(random.choose(changes)(bytes, at, length, random));
  }
  return bytes;
}

async function outcomeOf(file: string): Promise<unknown> {
  try {
    const { tensors, close } = await openWeights(file);
    try {
      for (const tensor of tensors.values()) if (/^B?F\d/.test(tensor.dtype)) await tensor.readFloats();
    } finally {
      await close();
    }
    return 'read';
  } catch (error) {
    return error;
  }
}

test.each(['views.pt', 'torchvision.pth', 'checkpoint.pth', 'torchvision.safetensors'])('%s', async (name) => {
  const whole = readFileSync(new URL(`../fixtures/weights/${name}`, import.meta.url));
  const file = join(folder, name);
  let read = 0;
  for (let seed = 0; seed < mutations; seed += 1) {
    writeFileSync(file, mutated(whole, new Random(seed)));
    const outcome = await outcomeOf(file);
    if (outcome === 'read') read += 1;
    else expect(outcome, `mutation ${seed}`).toBeInstanceOf(CheckpointError);
  }
  expect(read).toBeGreaterThan(0); // some changes are of values alone
  expect(read).toBeLessThan(mutations / 2);
});
