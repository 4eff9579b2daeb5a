// Where the files of known data sets are looked for, and where downloads go.
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folders in which a data set is looked for, first one first: `root` alone where it is given, else RESIDUA_DATA and
 * ~/.residua/datasets; each in a folder of the data set's name, where `root` may also hold the files itself.
 */
export function dataFolders(name: string, root?: string): string[] {
  if (root !== undefined) return [join(root, name), root];
  const named = process.env.RESIDUA_DATA;
  return [...(named ? [join(named, name)] : []), join(homedir(), '.residua', 'datasets', name)];
}

/** The first folder in which all of these files are. */
export async function folderWith(files: readonly string[], folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await Promise.all(files.map((file) => exists(join(folder, file))));
    if (found.every(Boolean)) return folder;
  }
  return undefined;
}

export async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
