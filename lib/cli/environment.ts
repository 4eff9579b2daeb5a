// What a run ran on: versions, processor, threads. For history.json and `residua doctor`.
import { cpus, release, totalmem } from 'node:os';
import { backendOf, type Device } from '../device.js';
import { native } from '../native.js';
import { packageVersion } from '../version.js';

export interface Environment {
  residua: string;
  node: string;
  system: string;
  processor: string;
  /** Cores that this process may use. */
  cores: number;
  memoryBytes: number;
  device: string;
  /** The backend's own words: libraries, versions, threads. */
  backend: Record<string, string>;
}

/** The environment of a run on `device`. */
export function environmentOf(device: Device): Environment {
  return {
    residua: packageVersion(),
    ...hostFacts(),
    cores: native().availableCores(),
    device: device.name,
    backend: backendOf(device).describe(),
  };
}

/** What can be said without the addon. */
export function hostFacts(): Pick<Environment, 'node' | 'system' | 'processor' | 'memoryBytes'> {
  return {
    node: process.versions.node,
    system: `${process.platform} ${process.arch} ${release()}`,
    processor: cpus()[0]?.model.trim() || 'unknown',
    memoryBytes: totalmem(),
  };
}
