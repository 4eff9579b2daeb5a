// Warnings of this process (broken images, say) in lines of their own, rather than wherever the cursor stands.
import { printable } from './printable.js';

/** Hands the warnings that come while `body` runs to `say`, in place of Node's own listener. Those switched off (--no-warnings) stay off. */
export async function sayingWarnings<T>(say: (line: string) => void, body: () => Promise<T>): Promise<T> {
  const others = process.listeners('warning');
  if (others.length === 0) return await body();
  const tell = ({ message }: Error): void => say(`warning: ${printable(message)}`);
  process.removeAllListeners('warning').on('warning', tell);
  try {
    return await body();
  } finally {
    await new Promise((resolve) => setImmediate(resolve)); // the last ones are told in the next tick
    process.off('warning', tell);
    for (const other of others) process.on('warning', other);
  }
}
