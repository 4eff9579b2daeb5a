// The emulation of CUDA in tests: whether it is there, how it is told what to fail at, backends opened in other processes.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backendOf } from '../../lib/device.js';
import type { Device } from '../../lib/index.js';
import { addonFile } from '../../lib/native.js';
import { testDevices } from '../helpers/devices.js';

/** A file beside the addon. */
export const besideAddon = (name: string): string => join(dirname(addonFile()), name);

/** The emulation's library; it may be missing. */
export const emulationFile: string =
  process.env.RESIDUA_CUDA_LIBRARY?.includes('/') && process.env.RESIDUA_CUDA_LIBRARY.includes('emulation')
    ? process.env.RESIDUA_CUDA_LIBRARY
    : besideAddon('libresidua_cuda_emulation.so');

/** For `describe.skipIf`: where the emulation is not built. */
export const hasNoEmulation = !existsSync(emulationFile);

/** gpu(0) where it is the emulation, else null: a real GPU fails at nothing on request. */
export const emulatedGpu: Device | null =
  testDevices.find((device) => device.kind === 'gpu' && backendOf(device).describe().emulation === 'yes') ?? null;

/** What `description` says, and why it is skipped where there is no emulated gpu(0). */
export const onEmulation = (description: string): string =>
  emulatedGpu ? description : `${description} (skipped: gpu(0) is not the emulation)`;

/** Runs `body` with variables of the environment, which the emulation reads at every call, set. */
export function withVariables<T>(variables: Record<string, string>, body: () => T): T {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return body();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

export interface Opened {
  /** describe() of the backend, where it opened. */
  facts?: Record<string, string>;
  kind?: string;
  message?: string;
  details?: Record<string, string>;
}

const script = `
  const addon = require(process.argv[1]);
  addon.initialize((kind, message, details) => Object.assign(new Error(message), { kind, details }));
  try {
    process.stdout.write(JSON.stringify({ facts: addon.openBackend(process.argv[2]).describe() }));
  } catch ({ kind, message, details }) {
    process.stdout.write(JSON.stringify({ kind, message, details }));
  }
`;

/** Opens a backend in a process of its own. */
export function openElsewhere(
  env: Record<string, string>,
  { name = 'gpu(0)', addon = addonFile() }: { name?: string; addon?: string } = {},
): Promise<Opened> {
  const child = spawn(process.execPath, ['-e', script, addon, name], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status, signal) => {
      if (output) resolve(JSON.parse(output) as Opened);
      else reject(new Error(`The process ended with ${signal ?? status} and said nothing.`));
    });
  });
}
