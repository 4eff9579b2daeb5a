// Ctrl-C during a training: the first asks it to stop after the current step, the second leaves at once.
import { exitStatus } from './exit-status.js';

// One press can arrive twice: from the terminal, and handed on by `npm start`.
const samePressMs = 500;

/**
 * Calls `body` with a signal that SIGINT or SIGTERM aborts. A second SIGINT ends the process at once with status 130.
 * `onFirst` tells the person what happens.
 */
export async function interruptible<T>(body: (signal: AbortSignal) => Promise<T>, onFirst: () => void): Promise<T> {
  const controller = new AbortController();
  let firstAt = 0;
  const handle = (): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      onFirst();
      controller.abort();
    } else if (performance.now() - firstAt > samePressMs) {
      process.exit(exitStatus.interrupted);
    }
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  try {
    return await body(controller.signal);
  } finally {
    process.off('SIGINT', handle).off('SIGTERM', handle);
  }
}
