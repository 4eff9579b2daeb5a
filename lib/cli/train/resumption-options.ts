// The options that may be given beside --resume.

/** What of a run may change, for nothing that was trained so far depends on it: its end, what goes wrong, files, and the machine. */
export const changeableOptions: readonly string[] = [
  ...['--epochs', '--early-stopping', '--on-nan'],
  ...['--data', '--data-root', '--download', '--on-broken', '--workers', '--device'],
  ...['--keep-last', '--checkpoint-every', '--checkpoint-epochs', '--tensorboard'],
];

/** What is not of the run. */
export const otherOptions: readonly string[] = ['--resume', '--dry-run', '--verbose'];
