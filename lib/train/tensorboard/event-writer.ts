// TensorBoard's event files: scalars, images, histograms and texts, appended one record after another.
import { appendFile, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from '../../errors.js';
import { syncFolder } from '../../interop/atomic-file.js';
import { histogramOf } from './histogram.js';
import { encode, fileVersion, sessionStart, stringType } from './messages.js';
import { frame } from './records.js';

/** A picture as the bytes of a PNG file. */
export interface PngImage {
  png: Uint8Array;
  /** In pixels. */
  width: number;
  height: number;
}

/**
 * Writes an event file of its own into a folder. Events are kept in memory until `flush()`, which appends whole records: a process that
 * is killed leaves at most a cut last record, and readers end before it. Where the machine itself goes down, what was flushed after the
 * last `sync()` may be missing, or be zeros: no record has a check sum of zeros, so that readers end there too, and a resumed run writes
 * to a file of its own.
 */
export class EventWriter {
  /** Path of the event file. */
  readonly file: string;
  #records: Buffer[] = [];

  private constructor(file: string) {
    this.file = file;
  }

  /**
   * Begins a file. TensorBoard hides what earlier files of the folder have at `firstStep` and later: a run that goes on after step n begins
   * at n + 1. Default 0: nothing of earlier files is shown. Throws CheckpointError where the folder cannot be written.
   */
  static async open(folder: string, { firstStep = 0 }: { firstStep?: number } = {}): Promise<EventWriter> {
    const writer = new EventWriter(await newFile(folder));
    writer.#write({ step: 0, fileVersion });
    writer.#write({ step: firstStep, sessionLog: { status: sessionStart } });
    await writer.flush();
    return writer;
  }

  scalar(tag: string, value: number, step: number): void {
    this.#summary(step, { tag, simpleValue: value });
  }

  image(tag: string, { png, width, height }: PngImage, step: number): void {
    this.#summary(step, { tag, image: { height, width, colorspace: 3, encodedImageString: png } });
  }

  /**
   * NaN and infinity are left out; nothing is written where no other value is there. Of more values than `most` so many are counted,
   * evenly spaced. Default: all.
   */
  histogram(tag: string, values: ArrayLike<number>, step: number, most?: number): void {
    const histo = histogramOf(values, most);
    if (histo) this.#summary(step, { tag, histo });
  }

  /** A text, shown as Markdown. */
  text(tag: string, markdown: string, step: number): void {
    const tensor = { dtype: stringType, tensorShape: { dim: [{ size: 1 }] }, stringVal: [Buffer.from(markdown)] };
    this.#summary(step, { tag, tensor, metadata: { pluginData: { pluginName: 'text' } } });
  }

  /** The bytes of a GraphDef. */
  graph(graphDef: Uint8Array): void {
    this.#write({ step: 0, graphDef });
  }

  /** Appends what was written since the last flush to the file. Throws CheckpointError. */
  async flush(): Promise<void> {
    if (this.#records.length === 0) return;
    const records = Buffer.concat(this.#records);
    this.#records = [];
    await told(this.file, () => appendFile(this.file, records));
  }

  /** Flushes, and waits until the file is on the disk: a crash of the machine loses nothing of it. Throws CheckpointError. */
  async sync(): Promise<void> {
    await this.flush();
    await told(this.file, async () => {
      const handle = await open(this.file, 'r');
      try {
        await handle.datasync();
      } finally {
        await handle.close();
      }
    });
  }

  #summary(step: number, value: Record<string, unknown>): void {
    this.#write({ step, summary: { value: [value] } });
  }

  #write(event: Record<string, unknown>): void {
    this.#records.push(frame(encode('Event', { wallTime: Date.now() / 1000, ...event })));
  }
}

const namePattern = /^events\.out\.tfevents\.(\d+)\./;

/** An empty file with a name after those of the folder's earlier event files: readers take them in the order of their names. */
function newFile(folder: string): Promise<string> {
  return told(folder, async () => {
    await mkdir(folder, { recursive: true });
    const earlier = (await readdir(folder)).map((name) => Number(namePattern.exec(name)?.[1] ?? 0));
    const seconds = Math.max(Math.floor(Date.now() / 1000), ...earlier.map((time) => time + 1));
    const file = join(folder, `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}`);
    await writeFile(file, '', { flag: 'wx' });
    await syncFolder(folder);
    return file;
  });
}

async function told<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new CheckpointError(
      `${file}: TensorBoard's events cannot be written: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
}
