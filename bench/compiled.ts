// The scripts of this folder as plain JavaScript on dist/, which is what users run: a loader for TypeScript would add its own memory and
// start-up time to what is measured. Nothing that such a script imports may import this file: TypeScript's compiler takes 90 MB.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { benchFolder, type Outcome, root, runJson } from './harness.js';

let translated: string | null = null;

/** The translation of a script, './step.ts'. All scripts are translated once in a process, to .cache/bench/. */
export function compiled(script: string): string {
  translated ??= translate();
  return join(translated, script.replace(/\.ts$/, '.js'));
}

/** Runs a benchmark script of this folder in its compiled form: for what measures memory and start-up. */
export function runCompiled<T>(script: string, args: readonly string[], env: Record<string, string> = {}): Outcome<T> {
  return runJson<T>(process.execPath, [compiled(script), ...args], env);
}

function translate(): string {
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
    writeFileSync(file, onDist(outputText));
  }
  return target;
}

/** Imports of the library's sources become those of its compiled form. */
const onDist = (text: string): string =>
  text.replace(/(from\s+['"])(?:\.\.\/)+lib\//g, `$1${pathToFileURL(join(root, 'dist'))}/`);
