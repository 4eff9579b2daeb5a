// Finds cuDNN and what it loads, the compiler NVRTC and cuBLAS, or fetches them from the package index of Python into
// .cache/.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Of CUDA 13. A gigabyte on disk, proprietary: kept out of the repository. */
export const wheels = ['nvidia-cudnn-cu13==9.24.0.43', 'nvidia-cublas==13.1.1.3', 'nvidia-cuda-nvrtc==13.0.88'];

/** Folders to put on the dynamic linker's path, or why there are none. */
export type Libraries = { folders: string[] } | { missing: string };

// Where wheels of CUDA 13 and of CUDA 12 keep a library.
const needed: [file: RegExp, folders: string[]][] = [
  [/^libcudnn\.so\.9$/, ['cudnn']],
  [/^libnvrtc\.so\.\d+$/, ['cu13', 'cuda_nvrtc']],
  [/^libcublasLt\.so\.\d+$/, ['cu13', 'cublas']],
];

/** Library folders of NVIDIA's wheels below `root`, a site-packages folder; null where a library is not there. */
function foldersBelow(root: string): string[] | null {
  const folders = needed.map(([file, names]) =>
    names
      .map((name) => join(root, 'nvidia', name, 'lib'))
      .find((folder) => existsSync(folder) && readdirSync(folder).some((name) => file.test(name))),
  );
  return folders.every((folder) => folder !== undefined) ? [...new Set(folders as string[])] : null;
}

function sitePackages(): string[] {
  const code = 'import sys; print("\\n".join(p for p in sys.path if p.endswith("-packages")))';
  const { stdout } = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
  return stdout ? stdout.trim().split('\n') : [];
}

/** Those of CUDA_LIBS_ROOT, of Python's site-packages, or those fetched into `cache` now or before. */
export function findLibraries(cache: string): Libraries {
  const named = process.env.CUDA_LIBS_ROOT;
  for (const root of [...(named ? [named] : []), ...sitePackages(), cache]) {
    const folders = foldersBelow(root);
    if (folders) return { folders };
  }
  if (process.env.RESIDUA_FETCH_CUDNN === '0') return { missing: 'no cuDNN found, and RESIDUA_FETCH_CUDNN is 0' };
  const failure = fetchWheels(cache);
  const folders = failure === null ? foldersBelow(cache) : null;
  return folders ? { folders } : { missing: `no cuDNN found, and it cannot be fetched: ${failure}` };
}

/** Null, or what went wrong. A folder that is there is whole: it is renamed into place. */
function fetchWheels(cache: string): string | null {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fetch-'));
  try {
    const fetched = run('python3', ['-m', 'pip', 'download', '--no-deps', '--retries', '0', '-d', folder, ...wheels]);
    if (fetched !== null) return fetched;
    for (const wheel of readdirSync(folder).filter((file) => file.endsWith('.whl'))) {
      const unpacked = run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
      if (unpacked !== null) return unpacked;
    }
    rmSync(join(cache, 'nvidia'), { recursive: true, force: true });
    renameSync(join(folder, 'nvidia'), join(cache, 'nvidia'));
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Null, or the last line of what the command said. */
function run(command: string, args: string[]): string | null {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 480_000 });
  if (result.status === 0) return null;
  return result.error?.message ?? result.stderr.trim().split('\n').at(-1) ?? `exit status ${result.status}`;
}
