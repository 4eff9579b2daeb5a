// What a server counts and measures, in the text format that Prometheus reads (exposition format 0.0.4).
import { memory } from '../tensor/memory.js';

const latencySeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type Labels = Readonly<Record<string, string>>;

/** A number for each set of labels, which only grows. */
class Counter {
  readonly #values = new Map<string, number>();
  constructor(
    readonly name: string,
    readonly help: string,
  ) {}

  add(labels: Labels = {}, amount = 1): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  lines(): string[] {
    return [...header(this, 'counter'), ...Array.from(this.#values, ([labels, n]) => `${this.name}${labels} ${n}`)];
  }
}

/** How many values were at most each bound. */
class Histogram {
  readonly #counts: number[];
  #sum = 0;
  #count = 0;
  constructor(
    readonly name: string,
    readonly help: string,
    readonly bounds: readonly number[],
  ) {
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    for (const [i, bound] of this.bounds.entries()) if (value <= bound) this.#counts[i]! += 1;
    this.#sum += value;
    this.#count += 1;
  }

  lines(): string[] {
    const buckets = this.bounds.map((bound, i) => `${this.name}_bucket{le="${bound}"} ${this.#counts[i]}`);
    const all = `${this.name}_bucket{le="+Inf"} ${this.#count}`;
    return [
      ...header(this, 'histogram'),
      ...buckets,
      all,
      `${this.name}_sum ${this.#sum}`,
      `${this.name}_count ${this.#count}`,
    ];
  }
}

/** A number that is looked up when it is asked for. */
class Gauge {
  constructor(
    readonly name: string,
    readonly help: string,
    readonly value: () => number,
  ) {}

  lines(): string[] {
    return [...header(this, 'gauge'), `${this.name} ${this.value()}`];
  }
}

export interface MetricsOptions {
  batchSizes: readonly number[];
  /** Images that wait for their batch. */
  queueLength: () => number;
  /** Requests for a prediction that are not answered yet. */
  inProgress: () => number;
}

export class ServerMetrics {
  readonly requests = new Counter('residua_requests_total', 'Requests answered, by route and status.');
  readonly images = new Counter('residua_images_total', 'Images classified.');
  readonly latency = new Histogram(
    'residua_request_seconds',
    'Time from the head of a request for a prediction to its answer.',
    latencySeconds,
  );
  readonly batchSeconds = new Histogram('residua_batch_seconds', 'Time that the net took for a batch.', latencySeconds);
  readonly batchSize: Histogram;
  readonly #gauges: readonly Gauge[];

  constructor({ batchSizes, queueLength, inProgress }: MetricsOptions) {
    this.images.add({}, 0); // told from the beginning
    this.batchSize = new Histogram('residua_batch_size', 'Images in a batch.', batchSizes);
    this.#gauges = [
      new Gauge('residua_queue_length', 'Images that wait for their batch.', queueLength),
      new Gauge('residua_requests_in_progress', 'Requests for a prediction that are not answered yet.', inProgress),
      new Gauge('residua_tensors', 'Tensors whose memory is in use.', () => memory().tensors),
      new Gauge('residua_tensor_bytes', 'Bytes in tensors.', () => memory().bytes),
      new Gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss()),
    ];
  }

  text(): string {
    const all = [this.requests, this.images, this.latency, this.batchSize, this.batchSeconds, ...this.#gauges];
    return `${all.flatMap((metric) => metric.lines()).join('\n')}\n`;
  }
}

function header({ name, help }: { name: string; help: string }, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

/** '{route="/predict",status="200"}'; values are routes and statuses of this server, which need no escapes. */
function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}
