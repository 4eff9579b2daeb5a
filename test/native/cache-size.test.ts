// The size of the caches, which oneDNN 3 asks the addon for.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { cpu } from '../../lib/index.js';
import { addonFile } from '../../lib/native.js';
import { testProgram } from '../helpers/program-lines.js';

testProgram('The size of the caches', 'cache_size_test', 15); // four sizes at each level, three levels that are none

/** Why the dynamic linker cannot be watched here, or ''. */
function whyNot(): string {
  const { library = '' } = backendOf(cpu()).describe();
  if (/^oneDNN [012]\./.test(library)) return `${library} asks only itself`;
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  return glibcVersionRuntime ? '' : 'only the dynamic linker of glibc says what it binds';
}

const why = whyNot();

describe.skipIf(why !== '')(`oneDNN's own question${why && ` (skipped: ${why})`}`, () => {
  test('is bound to the addon', () => {
    const folder = mkdtempSync(join(tmpdir(), 'residua-bindings-'));
    try {
      execFileSync(process.execPath, ['-e', 'require(process.argv[1])', addonFile()], {
        env: { ...process.env, LD_BIND_NOW: '1', LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: join(folder, 'log') },
      });
      const log = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
      const lines = log.flatMap((text) => text.split('\n')).filter((line) => line.includes('get_per_core_cache_size'));
      const binding = lines.find((line) => /binding file \S*libdnnl\S* /.test(line));
      expect(binding, lines.join('\n')).toMatch(new RegExp(` to \\S*${basename(addonFile())} `));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
