// POST /predict: an image comes in, waits for its batch, and its likeliest classes go out.
import type { IncomingMessage } from 'node:http';
import { Batcher } from './batcher.js';
import { HttpError } from './http-error.js';
import type { ImageClassifier } from './image-classifier.js';
import { ServerMetrics } from './metrics.js';
import { readBody } from './read-body.js';
import { type Answer, json } from './respond.js';
import type { FullServeOptions } from './serve-options.js';
import { brokenImage, checkImage, uploadName } from './uploaded-image.js';

const usualTop = 5;

export class PredictionRoute {
  readonly metrics: ServerMetrics;
  readonly #classifier: ImageClassifier;
  readonly #classes: number;
  readonly #options: FullServeOptions;
  readonly #batcher: Batcher;
  #inProgress = 0;

  /** classes: the net's. */
  constructor(classifier: ImageClassifier, classes: number, options: FullServeOptions) {
    this.#classifier = classifier;
    this.#classes = classes;
    this.#options = options;
    this.#batcher = new Batcher({
      classify: (pixels) => classifier.classify(pixels),
      maxBatch: options.maxBatch,
      maxDelay: options.maxDelay,
      expected: () => this.#inProgress,
      onBatch: (images, seconds) => {
        this.metrics.images.add({}, images);
        this.metrics.batchSize.observe(images);
        this.metrics.batchSeconds.observe(seconds);
      },
    });
    this.metrics = new ServerMetrics({
      batchSizes: classifier.batchSizes,
      queueLength: () => this.#batcher.length,
      inProgress: () => this.#inProgress,
    });
  }

  /** Throws HttpError; ClientGone, or the signal's reason, where nobody waits for the answer any more. */
  async answer(request: IncomingMessage, query: URLSearchParams, signal: AbortSignal): Promise<Answer> {
    const { maxQueue } = this.#options;
    const top = topIn(query, this.#classes);
    if (this.#inProgress >= maxQueue) {
      const message = `${maxQueue} requests are in progress already: try again later.`;
      throw new HttpError(503, 'queue_full', message, { 'retry-after': '1' });
    }
    const start = performance.now();
    this.#inProgress += 1;
    try {
      const bytes = await readBody(request, this.#options);
      await checkImage(bytes, request.headers['content-type'], this.#options);
      const { pixels, broken } = await this.#classifier.decode([{ name: uploadName, bytes }]);
      if (broken[0]) throw brokenImage(broken[0].message);
      const probabilities = await this.#batcher.classify(pixels, signal);
      this.metrics.latency.observe((performance.now() - start) / 1000);
      return json(200, { classes: this.#classifier.likeliest(probabilities, top) });
    } finally {
      this.#inProgress -= 1;
    }
  }

  /** Resolves when the net computes nothing any more. */
  idle(): Promise<void> {
    return this.#batcher.idle();
  }
}

/** ?top=3. Of more than there are, all: a client need not know how many. */
function topIn(query: URLSearchParams, classes: number): number {
  const text = query.get('top') ?? String(usualTop);
  if (/^[1-9]\d*$/.test(text)) return Math.min(Number(text), classes);
  throw new HttpError(400, 'top_invalid', `Expected top to be a whole number from 1 to ${classes}, got '${text}'.`);
}
