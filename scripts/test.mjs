// `npm test`: set-up, then the whole suite, on the CPU and on gpu(0): a GPU where one works, else the emulation of CUDA.
// Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtFile } from './setup/native-build.mjs';
import { setupOrExit } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

setupOrExit({ tests: true });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env };
if (env.RESIDUA_CUDA_LIBRARY === undefined && !hasGpu() && hasEmulation()) env.RESIDUA_CUDA_LIBRARY = 'emulation';
const result = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(result.status ?? 1);

function hasEmulation() {
  return existsSync(builtFile(root, 'libresidua_cuda_emulation.so'));
}

/** Whether gpu(0) opens by itself. */
function hasGpu() {
  if (!existsSync(builtFile(root, 'libresidua_cuda.so'))) return false;
  const main = join(root, 'dist', 'cli', 'main.js');
  const { stdout } = spawnSync(process.execPath, [main, 'doctor', '--json'], { cwd: root, encoding: 'utf8' });
  return JSON.parse(stdout).devices.some(({ name, available }) => name === 'gpu(0)' && available);
}
