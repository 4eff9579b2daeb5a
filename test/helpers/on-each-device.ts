// Runs tests that create tensors on the default device once for every test device.
import { afterAll, beforeAll, describe } from 'vitest';
import { cpu, type Device, setDevice } from '../../lib/index.js';
import { testDevices } from './devices.js';

/** The tests that `define` defines, on every test device: it is the default device while they are defined and while they run. */
export function onEachDevice(define: (device: Device) => void): void {
  describe.each(testDevices)('on %s', (device) => {
    beforeAll(() => setDevice(device));
    afterAll(() => setDevice(cpu()));
    setDevice(device);
    try {
      define(device);
    } finally {
      setDevice(cpu());
    }
  });
}
