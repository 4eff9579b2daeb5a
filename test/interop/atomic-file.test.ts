// Files that appear whole or not at all.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileAtomically } from '../../lib/interop/atomic-file.js';
import { root, runNode } from '../cli/run-cli.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();

test('parts one after another, under the name alone', async () => {
  await writeFileAtomically(join(folder, 'a'), [Buffer.from('one '), Buffer.from('two')]);
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('one two');
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a process that ends while it writes leaves nothing', async () => {
  const module = join(root, 'dist', 'interop', 'atomic-file.js');
  const { status, stdout } = await runNode([
    '--input-type=module',
    '--eval',
    `import { existsSync, readdirSync } from 'node:fs';
    const { writeFileAtomically } = await import('${module}');
    const parts = Array.from({ length: 1000 }, () => Buffer.alloc(2 ** 16));
    writeFileAtomically('${join(folder, 'b')}', parts);
    const look = () => {
      const [name] = readdirSync('${folder}').filter((each) => each.startsWith('.b.'));
      if (name === undefined) return setImmediate(look);
      console.log('writing');
      process.exit(130);
    };
    look();`,
  ]);
  expect({ status, stdout }).toEqual({ status: 130, stdout: 'writing\n' });
  expect(readdirSync(folder)).toEqual(['a']);
});
