// The scripts of this folder as plain JavaScript on dist/, which is what users run: a loader for TypeScript would add its own memory and
// start-up time to what is measured.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

let translated: string | null = null;

/** The translation of a script, './step.ts'. All scripts are translated once in a process, to .cache/bench/. */
export function compiled(benchFolder: string, script: string): string {
  translated ??= translate(benchFolder);
  return join(translated, script.replace(/\.ts$/, '.js'));
}

function translate(benchFolder: string): string {
  const root = dirname(benchFolder);
  const target = join(root, '.cache', 'bench');
  const scripts = readdirSync(benchFolder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  for (const script of scripts) {
    const source = readFileSync(join(benchFolder, script), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, verbatimModuleSyntax: true },
    });
    const file = join(target, script.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, onDist(outputText, root));
  }
  return target;
}

/** Imports of the library's sources become those of its compiled form. */
const onDist = (text: string, root: string): string =>
  text.replace(/(from\s+['"])(?:\.\.\/)+lib\//g, `$1${pathToFileURL(join(root, 'dist'))}/`);
