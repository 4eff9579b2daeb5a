#!/usr/bin/env node
// The command `residua`: runs the command line; the process ends with its exit status when nothing is left to do.
import { run } from './program.js';

// A reader that has seen enough (`residua doctor | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

await run(process.argv.slice(2));
