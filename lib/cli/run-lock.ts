// One process at a time trains in a run's folder.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../errors.js';
import { writeWhole } from './run-folder.js';

/** Who trains in a folder. */
interface Holder {
  host: string;
  pid: number;
  /** In ISO 8601. */
  since: string;
}

/** In the folder of a run that is trained, for machines that share it. */
export const lockFileIn = (path: string): string => join(path, 'training.lock');

/**
 * Holds a folder for this process; the function that is returned lets go of it. On this machine the lock is a name among Linux's abstract
 * sockets, which goes with its process however that ends; for others it is a file that tells the host. It is removed when the process ends,
 * unless that is killed: then the file of this host is known to be an old one, for the name is free. Throws ConfigError where another process
 * trains there, or may do so on another host.
 */
export async function lockRunFolder(path: string): Promise<() => void> {
  const server = await holdName(path);
  const file = lockFileIn(path);
  const holder: Holder = { host: hostname(), pid: process.pid, since: new Date().toISOString() };
  try {
    writeLock(file, holder, path);
  } catch (error) {
    server.close();
    throw error;
  }
  const removeFile = (): void => {
    const found = readHolder(file);
    if (found?.host === holder.host && found.pid === holder.pid) rmSync(file, { force: true });
  };
  process.once('exit', removeFile);
  return () => {
    process.off('exit', removeFile);
    removeFile();
    server.close();
  };
}

async function holdName(path: string): Promise<Server> {
  const { dev, ino } = await stat(path, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ path: `\0residua-run-${dev}-${ino}` }, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    const message = `${path}: expected a folder in which no other process trains, found one that does: wait until it has ended.`;
    throw new ConfigError(message, { path }, { cause });
  });
  server.unref();
  return server;
}

/** Of two hosts that begin at the same time one makes the file. */
function writeLock(file: string, holder: Holder, path: string): void {
  const text = `${JSON.stringify(holder)}\n`;
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new ConfigError(`${path}: cannot be written to: ${(cause as Error).message}.`, { path }, { cause });
  }
  const found = readHolder(file);
  if (found && found.host !== holder.host) refuse(file, found, path);
  writeWhole(file, text); // a process of this host that was killed left it, or a text that was cut off
}

function refuse(file: string, { host, pid, since }: Holder, path: string): never {
  throw new ConfigError(
    `${path}: expected a folder in which no other process trains, found the lock of process ${pid} on host '${host}', since ${since}: it cannot be seen from here whether that goes on still. Wait until it has ended; if it was killed, or its machine is gone, remove ${file}.`,
    { path, expected: hostname(), found: host },
  );
}

/** Null for no file, and for one that tells nobody. */
function readHolder(file: string): Holder | null {
  try {
    const { host, pid, since } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>;
    return typeof host === 'string' ? { host, pid: Number(pid), since: String(since) } : null;
  } catch {
    return null;
  }
}
