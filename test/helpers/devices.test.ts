// Tells which devices the tests run on, and why not on the others.
import { expect, test } from 'vitest';
import { testDevices, untestedDevices } from './devices.js';

test(`tests run on ${testDevices.join(', ')}`, () => {
  expect(testDevices.length).toBeGreaterThan(0);
});

for (const { name, reason } of untestedDevices())
  test.skip(`${name} is not tested: ${reason.replaceAll('\n', ' ')}`, () => {});
