// What the set-up looks for, one question at a time.
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { root } from '../cli/run-cli.js';
import { probe, remedy } from './setup-modules.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'residua-probe-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Writes a file of the test's folder, last changed `seconds` after a fixed time. */
function write(name: string, contents = '', seconds = 0): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
  utimesSync(file, 1_700_000_000 + seconds, 1_700_000_000 + seconds);
  return file;
}

describe('isStale', () => {
  test('a missing target is', () => {
    expect(probe.isStale(join(folder, 'target'), [write('source')])).toBe(true);
  });

  test('a target as new as its sources is not', () => {
    write('native/deep/a.cc', '', 5);
    expect(probe.isStale(write('target', '', 5), [write('one', '', 5), join(folder, 'native')])).toBe(false);
  });

  test('one newer file is enough, however deep', () => {
    write('native/a.cc', '', -50);
    write('native/deep/er/b.cc', '', 6);
    expect(probe.isStale(write('target', '', 5), [write('one', '', 0), join(folder, 'native')])).toBe(true);
  });

  test('sources that are missing do not count', () => {
    expect(probe.isStale(write('target'), [join(folder, 'missing')])).toBe(false);
  });
});

describe('isBuiltElsewhere', () => {
  test.each([
    ['here', (here: string) => here, false],
    ['another place', () => '/somewhere/else', true],
  ])('CMake was run in %s', (_, home, expected) => {
    write('build/CMakeCache.txt', `# comment\nCMAKE_HOME_DIRECTORY:INTERNAL=${home(realpathSync(folder))}\nOTHER=1\n`);
    expect(probe.isBuiltElsewhere(folder, join(folder, 'build'))).toBe(expected);
  });

  test('CMake was not run', () => {
    expect(probe.isBuiltElsewhere(folder, join(folder, 'build'))).toBe(false);
  });
});

describe('outdatedDependencies', () => {
  const lock = {
    packages: {
      '': { name: 'test', dependencies: { a: '1.0.0' } },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/@scope/b': { version: '2.0.0' },
      'node_modules/a/node_modules/c': { version: '3.0.0' },
      'node_modules/for-another-system': { version: '4.0.0', optional: true },
    },
  };
  const install = (name: string, version: string) =>
    write(`node_modules/${name}/package.json`, JSON.stringify({ version }));

  beforeEach(() => {
    write('package-lock.json', JSON.stringify(lock));
    install('a', '1.0.0');
    install('@scope/b', '2.0.0');
    install('a/node_modules/c', '3.0.0');
  });

  test('none, where each is there in its version', () => {
    expect(probe.outdatedDependencies(folder)).toEqual([]);
  });

  test('missing ones, also those that only others need', () => {
    rmSync(join(folder, 'node_modules/a'), { recursive: true });
    expect(probe.outdatedDependencies(folder)).toEqual(['a', 'c']);
  });

  test('other versions', () => {
    install('@scope/b', '2.0.1');
    expect(probe.outdatedDependencies(folder)).toEqual(['@scope/b']);
  });

  test('half written ones', () => {
    write('node_modules/a/package.json', '{"version": "1.0');
    expect(probe.outdatedDependencies(folder)).toEqual(['a']);
  });

  test('the lock file of this project fits its node_modules', () => {
    expect(probe.outdatedDependencies(root)).toEqual([]);
  });
});

describe('which', () => {
  const program = (name: string) => {
    const file = write(name, '#!/bin/sh\n');
    chmodSync(file, 0o755);
    return file;
  };

  test('the first program of that name on PATH', () => {
    const first = program('one/tool');
    program('two/tool');
    vi.stubEnv('PATH', ['', join(folder, 'missing'), join(folder, 'one'), join(folder, 'two')].join(delimiter));
    expect(probe.which('tool')).toBe(first);
  });

  test('neither folders nor files that cannot be run', () => {
    mkdirSync(join(folder, 'one', 'tool'), { recursive: true });
    write('two/tool');
    vi.stubEnv('PATH', [join(folder, 'one'), join(folder, 'two')].join(delimiter));
    expect(probe.which('tool')).toBeNull();
  });

  test('nothing where PATH is empty', () => {
    vi.stubEnv('PATH', '');
    expect(probe.which('node')).toBeNull();
  });
});

describe('Fashion-MNIST', () => {
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  const fill = (place: string, ending = '.gz') => {
    for (const name of names) write(`${place}/${name}-ubyte${ending}`);
    return join(folder, place);
  };

  test('is in the first folder with all four files, gzipped or not', () => {
    const [gzipped, plain] = [fill('gzipped'), fill('plain', '')];
    expect(probe.findFashionMnist([folder, gzipped, plain])).toBe(gzipped);
    expect(probe.findFashionMnist([folder, plain, gzipped])).toBe(plain);
  });

  test.each(names)('is not where %s is missing', (name) => {
    const place = fill('data');
    rmSync(join(place, `${name}-ubyte.gz`));
    expect(probe.findFashionMnist([place])).toBeNull();
  });

  test('is found in RESIDUA_DATA and in its fashion-mnist/, as the library does', () => {
    vi.stubEnv('RESIDUA_DATA', fill('direct'));
    expect(probe.findFashionMnist()).toBe(join(folder, 'direct'));
    fill('above/fashion-mnist');
    vi.stubEnv('RESIDUA_DATA', join(folder, 'above'));
    expect(probe.findFashionMnist()).toBe(join(folder, 'above', 'fashion-mnist'));
  });
});

describe('oneDNN', () => {
  test('is under the first prefix with its header', () => {
    write('with/include/dnnl.hpp');
    const prefixes = [join(folder, 'without'), join(folder, 'with')];
    expect(probe.findOneDnn(prefixes)).toBe(join(folder, 'with'));
    expect(probe.findOneDnn([join(folder, 'without')])).toBeNull();
  });

  test.each(['DNNL_ROOT', 'CONDA_PREFIX'])('is found by %s', (variable) => {
    write('with/include/dnnl.hpp');
    vi.stubEnv('DNNL_ROOT', undefined);
    vi.stubEnv(variable, join(folder, 'with'));
    expect(probe.findOneDnn()).toBe(join(folder, 'with'));
  });
});

test.each([
  ['12.22.0', true],
  ['18.20.4', true],
  ['20.16.0', true],
  ['20.17.0', false],
  ['20.20.2', false],
  ['21.0.0', false],
  ['100.0.0', false],
])('Node %s is too old: %s', (version, expected) => {
  expect(probe.isNodeTooOld(version)).toBe(expected);
});

test('the commands for all that may be missing', () => {
  const all = Object.values(probe.systemPackages);
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  expect(remedy.remedyText(all).split('\n').slice(0, 5)).toEqual([
    'Missing: a C++17 compiler, make, CMake, oneDNN, the Fashion-MNIST data set, Chromium. Install with one of these, then run the same command again:',
    `  Debian, Ubuntu:  ${sudo}apt-get update && ${sudo}apt-get install -y g++ make cmake libdnnl-dev dataset-fashion-mnist chromium`,
    `  Fedora, RHEL:    ${sudo}dnf install -y gcc-c++ make cmake onednn-devel chromium`,
    '  macOS:           brew install gcc make cmake onednn',
    '  conda:           conda install -c conda-forge gxx make cmake onednn',
  ]);
});

test('without the data set alone: the Debian package, and where its files go elsewhere', () => {
  const data = probe.systemPackages.data;
  const text = remedy.remedyText(data ? [data] : []);
  expect(text).toContain('apt-get install -y dataset-fashion-mnist\n');
  expect(text).not.toMatch(/dnf|brew|conda/);
  expect(text).toContain('~/.residua/datasets/fashion-mnist');
  expect(text).toContain('RESIDUA_DATA');
});
