// Where NVIDIA's own headers are on this machine, if they are: a toolkit, folders that the environment names, the wheels
// of the active Python. The same places as native/cuda/find_cuda.cmake.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const { CUDAToolkit_ROOT, CUDA_HOME, CUDA_PATH, CUDA_LIBS_ROOT, CUDNN_ROOT, CONDA_PREFIX } = process.env;

function pythonFolders(): string[] {
  const script = "import sys; print('\\n'.join(p for p in sys.path if p.endswith('-packages')))";
  const { stdout } = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter(Boolean);
}

const toolkits = [CUDAToolkit_ROOT, CUDA_HOME, CUDA_PATH, '/usr/local/cuda', '/usr'];
const wheels = [CUDA_LIBS_ROOT, ...pythonFolders()].filter((folder) => folder !== undefined);
const prefixes = [
  ...toolkits,
  CUDNN_ROOT,
  CONDA_PREFIX,
  ...wheels.flatMap((folder) =>
    ['cu13', 'cudnn', 'cublas', 'cuda_runtime'].map((part) => join(folder, 'nvidia', part)),
  ),
].filter((prefix) => prefix !== undefined);
const folders = prefixes.flatMap((prefix) => [
  join(prefix, 'include'),
  join(prefix, 'targets', 'x86_64-linux', 'include'),
]);

/** The folder with the header, or null. */
export const folderOf = (header: string): string | null =>
  folders.find((folder) => existsSync(join(folder, header))) ?? null;

/** Whether there is a compiler: the checks compile what they generate. */
export const hasCompiler: boolean = spawnSync('g++', ['--version']).status === 0;
