// The command as `npm install` leaves it: the package as it is published, unpacked beside what it depends on. Nothing is downloaded: what
// package-lock.json calls for without development is linked, and so is the addon, which the package's install script would build.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CliOptions, type Ended, root, runProgram } from './run-cli.js';

interface Lock {
  packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
}

/** Installs residua into a new folder; returns what runs its command. */
export function installCommand(folder: string): (args: string[], options?: CliOptions) => Promise<Ended> {
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'residua');
  mkdirSync(home, { recursive: true });
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(execFileSync('npm', pack, { cwd: root, encoding: 'utf8', stdio: 'pipe' }));
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', home, '--strip-components=1']);
  for (const name of dependencies()) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  symlinkSync(join(root, 'build'), join(home, 'build'));
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { bin: { residua: string } };
  const command = join(modules, '.bin', 'residua');
  mkdirSync(dirname(command));
  chmodSync(join(home, bin.residua), 0o755);
  symlinkSync(join('..', 'residua', bin.residua), command);
  return (args, options) => runProgram(command, args, options);
}

/** Names of the packages at the top of node_modules that are there without development. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  return Object.entries(packages).flatMap(([path, { dev, devOptional }]) => {
    const name = path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)$/)?.[1];
    return name === undefined || dev || devOptional ? [] : [name];
  });
}
