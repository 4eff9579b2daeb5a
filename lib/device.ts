// Devices: names, availability, the default one.
import { BackendUnavailableError, DeviceError, type ErrorDetails, type ResiduaError } from './errors.js';
import { type NativeBackend, native } from './native.js';
import { checkBoolean } from './options.js';

/** A place where tensors live and ops run. Compare with `equals` or by `name`. */
export class Device {
  /** 'cpu' or 'gpu(0)' */
  readonly name: string;
  constructor(name: string) {
    if (!/^(cpu|gpu\(\d+\))$/.test(name))
      throw new DeviceError(`Expected a device name 'cpu' or 'gpu(N)', got '${name}'.`, { name });
    this.name = name;
  }
  get kind(): 'cpu' | 'gpu' {
    return this.name === 'cpu' ? 'cpu' : 'gpu';
  }
  equals(other: Device): boolean {
    return this.name === other.name;
  }
  toString(): string {
    return this.name;
  }
}

const opened = new Map<string, NativeBackend>();
const cpuDevice = new Device('cpu');
let defaultDevice: Device | undefined;

/** The backend of a device, opened at first use. Throws BackendUnavailableError, DeviceError. */
export function backendOf(device: Device): NativeBackend {
  if (!(device instanceof Device)) throw new DeviceError(`Expected a device such as cpu(), got '${String(device)}'.`);
  let backend = opened.get(device.name);
  if (!backend) {
    backend = native().openBackend(device.name);
    if (device.kind === 'cpu' && process.env.RESIDUA_THREADS) setThreadsOf(backend, process.env.RESIDUA_THREADS);
    opened.set(device.name, backend);
  }
  return backend;
}

/** Every backend that has been opened in this environment. */
export function openedBackends(): Iterable<NativeBackend> {
  return opened.values();
}

function setThreadsOf(backend: NativeBackend, text: string | number): void {
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new DeviceError(`Expected a number of threads from 1 to 1024, got '${text}'.`, { threads: text });
  }
  backend.setThreads(threads);
}

/** The CPU, through oneDNN. */
export function cpu(): Device {
  return cpuDevice;
}

/** GPU number `index`, through cuDNN. Throws BackendUnavailableError with the reason and the remedy. */
export function gpu(index = 0): Device {
  const device = new Device(`gpu(${index})`);
  backendOf(device);
  return device;
}

/** gpu(0) where one works, else the CPU. */
export function tryGpu(): Device {
  try {
    return gpu();
  } catch (error) {
    if (error instanceof BackendUnavailableError) return cpu();
    throw error;
  }
}

export interface DeviceInfo {
  name: string;
  available: boolean;
  /** Why it is not available. */
  reason?: string;
  /** The same in parts, for a GPU: sentences, but for what was looked for. */
  problem?: { lookedFor: string; found: string; remedy: string };
  /** Libraries and their versions, threads, memory. */
  details: Record<string, string>;
}

/** Every backend and whether it can be used here. */
export function devices(): DeviceInfo[] {
  return ['cpu', 'gpu(0)'].map((name) => {
    try {
      return { name, available: true, details: backendOf(new Device(name)).describe() };
    } catch (error) {
      const { message, details } = error as ResiduaError;
      return { name, available: false, reason: message, problem: problemIn(details), details: {} };
    }
  });
}

function problemIn(details: ErrorDetails | undefined): DeviceInfo['problem'] {
  if (details?.remedy === undefined) return undefined;
  return {
    lookedFor: String(details.lookedFor),
    found: String(details.found),
    remedy: String(details.remedy),
  };
}

/** Sets the default device of new tensors and parameters. */
export function setDevice(device: Device): void {
  backendOf(device);
  defaultDevice = device;
}

/** The default device: the one set, else RESIDUA_DEVICE, else the CPU. */
export function currentDevice(): Device {
  defaultDevice ??= new Device(process.env.RESIDUA_DEVICE ?? 'cpu');
  return defaultDevice;
}

/** Number of threads of the CPU backend. Default: the cores that this process may use. */
export function setThreads(n: number): void {
  setThreadsOf(backendOf(cpuDevice), n);
}

/**
 * Whether the CPU backend chooses between a convolution's algorithms by timing them once (kept for as long as the process
 * lives, and in a file, unless other programs were using the cores while it timed; RESIDUA_TUNE=keep writes it even then).
 * Without it convolutions that are new compute directly, the same bits in every process. Default true, unless RESIDUA_TUNE is 0.
 */
export function setTuning(on: boolean): void {
  backendOf(cpuDevice).setTuning(checkBoolean('setTuning()', 'on', on));
}
