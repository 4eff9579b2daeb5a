// One process at a time trains in a run's folder.
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { ConfigError } from '../errors.js';

/**
 * Holds a folder for this process; the function that is returned lets go of it. The lock is a name among Linux's abstract sockets, which
 * goes with its process however that ends. Processes on other machines and in other containers do not see it. Throws ConfigError where
 * another process trains there.
 */
export async function lockRunFolder(path: string): Promise<() => void> {
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
  return () => void server.close();
}
