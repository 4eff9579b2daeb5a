// Progress of a training on stderr: a bar on a terminal, a line now and then elsewhere. stdout is left to the results.
import { SingleBar } from 'cli-progress';
import type { BatchEvent } from '../train/history.js';
import { count, duration } from './format.js';

/** Where progress is written: process.stderr, or a stand-in. */
export interface ProgressStream extends NodeJS.WritableStream {
  isTTY?: boolean;
}

const secondsBetweenLines = 10;
const speedOverSteps = 20;

/** Shows the progress of `epochs` epochs. Times are in milliseconds of `now`. */
export class Progress {
  readonly #epochs: number;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #bar: SingleBar | undefined;
  #barRuns = false;
  #lastLine: number;
  #steps = 0;
  /** Ends of the last steps, with the images of the epoch so far. */
  #recent: { time: number; images: number }[] = [];
  #first: { time: number; steps: number } | undefined;

  constructor(epochs: number, stream: ProgressStream = process.stderr, now: () => number = () => performance.now()) {
    this.#epochs = epochs;
    this.#stream = stream;
    this.#now = now;
    this.#lastLine = now();
    if (stream.isTTY) this.#bar = makeBar(stream);
  }

  /** Speed of the last steps in images a second; undefined until there are two. */
  get imagesPerSecond(): number | undefined {
    const [first, last] = [this.#recent[0], this.#recent.at(-1)];
    if (!first || !last || last.time <= first.time) return undefined;
    return ((last.images - first.images) / (last.time - first.time)) * 1000;
  }

  /** One step is done. */
  step(at: BatchEvent): void {
    const time = this.#now();
    this.#steps += 1;
    if (at.batch === 1) this.#recent = []; // what lies between epochs is not training
    this.#recent.push({ time, images: at.images });
    if (this.#recent.length > speedOverSteps) this.#recent.shift();
    this.#first ??= { time, steps: this.#steps };
    if (this.#bar) this.#draw(this.#bar, at, time);
    else if (time - this.#lastLine >= secondsBetweenLines * 1000) {
      this.#lastLine = time;
      this.#stream.write(`${this.#line(at, time)}\n`);
    }
  }

  /** Runs `write`, which prints lines, with the bar out of the way. */
  interrupt(write: () => void): void {
    this.stop();
    write();
  }

  /** Takes the bar away; the next step brings it back. */
  stop(): void {
    if (this.#barRuns) this.#bar?.stop();
    this.#barRuns = false;
  }

  #draw(bar: SingleBar, at: BatchEvent, time: number): void {
    const values = { text: this.#figures(at, time), epoch: at.epoch, epochs: this.#epochs };
    if (this.#barRuns && at.batch > 1) {
      bar.update(at.batch, values);
      return;
    }
    this.stop();
    bar.start(batchesOf(at), at.batch, values);
    this.#barRuns = true;
  }

  #line(at: BatchEvent, time: number): string {
    return `epoch ${at.epoch}/${this.#epochs}, step ${at.batch}/${batchesOf(at)}: ${this.#figures(at, time)}`;
  }

  #figures(at: BatchEvent, time: number): string {
    const speed = this.imagesPerSecond;
    const left = this.#secondsLeft(at, time);
    return [
      speed === undefined ? undefined : `${count(Math.round(speed))} images/s`,
      `loss ${at.loss.toFixed(3)}`,
      `acc ${at.accuracy.toFixed(3)}`,
      left === undefined ? undefined : `${duration(left)} left`,
    ]
      .filter((part) => part !== undefined)
      .join(', ');
  }

  /** From the mean time of all steps after the first one, in which everything is set up. */
  #secondsLeft(at: BatchEvent, time: number): number | undefined {
    if (!this.#first || this.#steps <= this.#first.steps) return undefined;
    const perStep = (time - this.#first.time) / (this.#steps - this.#first.steps) / 1000;
    return ((this.#epochs - at.epoch) * batchesOf(at) + batchesOf(at) - at.batch) * perStep;
  }
}

/** Batches of the epoch, as far as known. */
function batchesOf(at: BatchEvent): number {
  return at.batches ?? at.batch;
}

function makeBar(stream: ProgressStream): SingleBar {
  return new SingleBar({
    format: 'epoch {epoch}/{epochs} {bar} {value}/{total}  {text}',
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    barsize: 16,
    stream,
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is handled by the command
    hideCursor: false,
  });
}
