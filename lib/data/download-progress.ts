// The progress of a download, as numbers and as a bar.
import cliProgress from 'cli-progress';

export interface DownloadProgress {
  file: string;
  /** Bytes that are there. */
  received: number;
  /** Bytes of the whole file, where the server says it. */
  total: number | undefined;
  done: boolean;
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** A bar on standard error; nothing where that is no terminal. */
export function progressBar(label: string): ((progress: DownloadProgress) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: `${label} {bar} {percentage}% | {value}/{total} MB | {eta_formatted} left`,
    hideCursor: true,
    clearOnComplete: false,
  });
  let started = false;
  return ({ received, total, done }) => {
    if (total !== undefined) {
      if (!started) bar.start(megabytes(total), megabytes(received));
      else bar.update(megabytes(received));
      started = true;
    }
    if (done && started) bar.stop();
  };
}
