// The devices that tests run on: the CPU always, gpu(0) where it opens; RESIDUA_TEST_DEVICES ('cpu,gpu(0)') decides otherwise.
import { backendOf } from '../../lib/device.js';
import { cpu, Device, type DeviceInfo, type DType, devices, setDevice } from '../../lib/index.js';

const isNeeded = (info: DeviceInfo): boolean => info.name === 'cpu' || info.available;

/** The devices named in the environment, all of which must open, else those that work here. */
function chooseDevices(): Device[] {
  const named = process.env.RESIDUA_TEST_DEVICES;
  if (named === undefined)
    return devices()
      .filter(isNeeded)
      .map((info) => new Device(info.name));
  return named.split(',').map((name) => {
    const device = new Device(name.trim());
    setDevice(device); // throws where it does not open
    setDevice(cpu());
    return device;
  });
}

/** For `describe.each(testDevices)('%s', (device) => ...)`. */
export const testDevices: readonly Device[] = chooseDevices();

/** Devices that are not tested here, and why. */
export function untestedDevices(): { name: string; reason: string }[] {
  return devices()
    .filter(({ name }) => !testDevices.some((device) => device.name === name))
    .map(({ name, reason = 'RESIDUA_TEST_DEVICES leaves it out' }) => ({ name, reason }));
}

/** Whether the device computes in this type: a processor without AVX-512, say, has no bfloat16. */
export const supports = (device: Device, dtype: DType): boolean => backendOf(device).supports(dtype);

/** Whether the device is interpreted on the host, where large nets take too long. */
export const isEmulated = (device: Device): boolean => backendOf(device).describe().emulation === 'yes';
