// A child process: opens a file of weights, reads all its tensors, tells what came of it and how much memory that took. Argument: the file.
import { readFileSync } from 'node:fs';
import { openWeights } from '../../lib/interop/weights-file.js';

const kilobytes = (field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

async function read(file: string): Promise<string> {
  try {
    const opened = await openWeights(file);
    try {
      for (const tensor of opened.tensors.values()) await tensor.readFloats();
    } finally {
      await opened.close();
    }
    return 'read';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

const before = kilobytes('VmRSS');
const outcome = await read(process.argv[2] as string);
const megabytes = (kilobytes('VmHWM') - before) / 1024;
process.stdout.write(JSON.stringify({ outcome, megabytes }));
