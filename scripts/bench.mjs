// `npm run bench`: every benchmark in bench/, one after the other, or the one that is named. Arguments go to it.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setupOrExit } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const all = ['compare', 'loader', 'native-call', 'memory'];

setupOrExit();
const [name, ...rest] = process.argv.slice(2);
const chosen = all.includes(name) ? [name] : all;
const args = all.includes(name) ? rest : process.argv.slice(2);
for (const script of chosen) {
  const file = join(root, 'bench', `${script}.ts`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', file, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
