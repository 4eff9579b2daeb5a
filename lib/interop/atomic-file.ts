// Writes files that appear whole or not at all: a temporary name in the same folder, fsync, rename, fsync of the folder.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Names of what is being written. A process that ends meanwhile, as by Ctrl-C, leaves none of it. */
const underWay = new Set<string>();
const removeAll = (): void => {
  for (const file of underWay) rmSync(file, { force: true });
};

/** Writes `parts` one after another. On failure the file is as it was before; the error is the system's. */
export async function writeFileAtomically(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  if (!process.listeners('exit').includes(removeAll)) process.on('exit', removeAll);
  underWay.add(temporary);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the folder may be gone or not writable: that is the error
    throw error;
  } finally {
    underWay.delete(temporary);
  }
  await syncFolder(folder);
}

/** Makes new names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
