// Ctrl-C during a long work: the first asks it to stop soon, the second leaves at once.
import { exitStatus } from './exit-status.js';

/** One press arrives twice where npm has started the process: from the terminal, and handed on by npm. */
const samePressMs = process.env.npm_lifecycle_event === undefined ? 50 : 500;

/** What a person is told. */
export interface InterruptWords {
  /** At the first press: `body` ends soon. */
  onFirst: () => void;
  /** At the second, just before the process ends. */
  onSecond: () => void;
}

/**
 * Calls `body` with a signal that SIGINT or SIGTERM aborts. A second one ends the process at once with status 130. What is said is asked for
 * at each press.
 */
export async function interruptible<T>(
  body: (signal: AbortSignal) => Promise<T>,
  words: () => InterruptWords,
): Promise<T> {
  const controller = new AbortController();
  let firstAt = 0;
  const handle = (): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      words().onFirst();
      controller.abort();
    } else if (performance.now() - firstAt > samePressMs) {
      words().onSecond();
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
