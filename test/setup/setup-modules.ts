// The modules of scripts/setup/, which are plain JavaScript, with the types that the tests use them by.

export interface SystemPackage {
  what: string;
  apt: string;
  dnf?: string;
  brew?: string;
  conda?: string;
}

interface Probe {
  neededNode: string;
  systemPackages: Record<string, SystemPackage>;
  isNodeTooOld(version: string): boolean;
  which(command: string): string | null;
  findOneDnn(prefixes?: string[]): string | null;
  findFashionMnist(folders?: string[]): string | null;
  outdatedDependencies(root: string): string[];
  isBuiltElsewhere(root: string, build: string): boolean;
  isStale(target: string, sources: string[]): boolean;
}

interface Remedy {
  dependencyRemedy(names: string[]): string;
  remedyText(missing: SystemPackage[]): string;
}

interface NodeGyp {
  canUseNodeGyp(): boolean;
  nodeGypArguments(root: string): string[];
}

const load = (name: string) => import(new URL(`../../scripts/setup/${name}`, import.meta.url).href);

export const probe: Probe = await load('probe.mjs');
export const remedy: Remedy = await load('remedy.mjs');
export const nodeGyp: NodeGyp = await load('node-gyp.mjs');
