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

const barWidth = 16;

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** A bar on standard error; nothing where that is no terminal. It leaves the terminal's modes alone: Ctrl-C may end the process at any time. */
export function progressBar(label: string): ((progress: DownloadProgress) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: (_options, { progress, value, total, eta, maxWidth }) =>
      barLine(label, { progress, value, total, secondsLeft: Number(eta) }).slice(0, maxWidth),
    hideCursor: false,
    linewrap: true, // no mode is set, and no line is longer than the terminal
    gracefulExit: false, // it would take Ctrl-C for itself
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

/** What matters most comes first, for narrow terminals. */
function barLine(label: string, at: { progress: number; value: number; total: number; secondsLeft: number }): string {
  const done = Math.round(at.progress * barWidth);
  const bar = '\u2588'.repeat(done) + '\u2591'.repeat(barWidth - done);
  const left = Number.isFinite(at.secondsLeft) ? `, ${at.secondsLeft} s left` : '';
  return `${label} ${Math.floor(at.progress * 100)}% ${bar} ${at.value}/${at.total} MB${left}`;
}
