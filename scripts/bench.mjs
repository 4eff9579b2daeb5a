// `npm run bench`: the usual benchmarks in bench/, one after the other, or the one that is named. Arguments go to it.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setupOrExit } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const usual = ['compare', 'loader', 'native-call', 'memory', 'readme'];
const onRequest = ['peak', 'profile', 'growth', 'degradation', 'family', 'losses', 'recipe', 'loader-jpeg'];

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && ![...usual, ...onRequest].includes(name)) {
  process.stderr.write(
    `There is no benchmark '${name}'. Without a name: ${usual.join(', ')}. By name also ${onRequest.join(', ')}.\n`,
  );
  process.exit(2);
}
setupOrExit();
for (const script of name === undefined ? usual : [name]) {
  const file = join(root, 'bench', `${script}.ts`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', file, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
