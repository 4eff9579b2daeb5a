// The device that a config names, or the one that there is.
import { currentDevice, Device, tryGpu } from '../device.js';

/** The device of a config's `device`: null is RESIDUA_DEVICE, else a GPU where one works, else the CPU. Throws DeviceError. */
export function chooseDevice(name: string | null): Device {
  if (name !== null) return new Device(name === 'gpu' ? 'gpu(0)' : name);
  return process.env.RESIDUA_DEVICE ? currentDevice() : tryGpu();
}
