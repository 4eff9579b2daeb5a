// Compiles the library to dist/ where dist/ is older than the sources: worker threads load what users load.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../lib/native.js';

/** The compiled library's entry file, up to date. */
export function compiledLibrary(): string {
  const entry = join(packageRoot, 'dist', 'index.js');
  if (!existsSync(entry) || statSync(entry).mtimeMs < newestSource()) {
    execFileSync(
      process.execPath,
      [join(packageRoot, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
      { cwd: packageRoot, stdio: 'pipe' },
    );
  }
  return entry;
}

/** When a source of the library was last changed. */
function newestSource(): number {
  const files = readdirSync(join(packageRoot, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return Math.max(...files.map((file) => statSync(join(packageRoot, 'lib', file)).mtimeMs));
}
