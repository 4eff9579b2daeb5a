// Puts images that wait at the same time together into batches: one runs at a time, those that come meanwhile are the next.

export interface BatcherOptions {
  /** pixels: uint8 [images, channels, height, width] -> probabilities [images, classes] */
  classify: (pixels: Uint8Array) => Promise<Float32Array>;
  /** The most images in a batch. */
  maxBatch: number;
  /** The longest that an image waits for others while nothing runs, in milliseconds. */
  maxDelay: number;
  /** How many images wait or will soon: once all of them wait there is nothing to wait for. */
  expected: () => number;
  /** Called after a batch has run. */
  onBatch?: (images: number, seconds: number) => void;
}

interface Waiting {
  /** uint8 [channels, height, width] */
  pixels: Uint8Array;
  signal: AbortSignal;
  since: number;
  resolve: (probabilities: Float32Array) => void;
  reject: (reason: unknown) => void;
}

export class Batcher {
  readonly #options: BatcherOptions;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Images that wait for their batch to begin. */
  get length(): number {
    return this.#waiting.length;
  }

  /**
   * pixels: uint8 [channels, height, width] -> probabilities [classes]. Rejects with what failed for the batch, or with the signal's
   * reason where nobody wants the answer any more when the batch begins.
   */
  classify(pixels: Uint8Array, signal: AbortSignal): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ pixels, signal, since: performance.now(), resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when no batch runs and none waits. */
  async idle(): Promise<void> {
    while (this.#running || this.#waiting.length > 0) {
      await (this.#running ?? new Promise(setImmediate));
    }
  }

  #schedule(): void {
    const oldest = this.#waiting[0];
    if (this.#running || !oldest) return;
    const { maxBatch, maxDelay, expected } = this.#options;
    if (this.#waiting.length >= Math.min(maxBatch, expected())) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), Math.max(0, oldest.since + maxDelay - performance.now()));
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#take();
    if (batch.length === 0) return;
    this.#running = this.#run(batch).finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  /** The next batch, without those that nobody waits for. */
  #take(): Waiting[] {
    for (const { signal, reject } of this.#waiting) if (signal.aborted) reject(signal.reason);
    const wanted = this.#waiting.filter(({ signal }) => !signal.aborted);
    this.#waiting = wanted.splice(this.#options.maxBatch);
    return wanted;
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const start = performance.now();
    try {
      const probabilities = await this.#options.classify(concatenated(batch.map(({ pixels }) => pixels)));
      const classes = probabilities.length / batch.length;
      for (const [i, { resolve }] of batch.entries()) resolve(probabilities.slice(i * classes, (i + 1) * classes));
      this.#options.onBatch?.(batch.length, (performance.now() - start) / 1000);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
