// `npm start`: set-up, then the main job: `residua train`. Arguments go to it.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setupOrExit } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'dist', 'cli', 'main.js');

setupOrExit();
// In this process, so that Ctrl-C reaches the training alone and its exit status is ours.
process.argv = [process.execPath, main, 'train', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
