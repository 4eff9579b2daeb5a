// Runs the fixtures of an op on every test device: result, gradients, updated inputs.
import { describe, expect, test } from 'vitest';
import { autograd, type Device, type Tensor, tidy } from '../../lib/index.js';
import { testDevices } from './devices.js';
import { decode, type Encoded, type FixtureCase, fixtureCases, makeInputs, makeTensor } from './fixtures.js';
import { expectClose, type Tolerance } from './tolerances.js';

type InputName =
  | 'x'
  | 'residual'
  | 'w'
  | 'a'
  | 'b'
  | 'gamma'
  | 'beta'
  | 'runningMean'
  | 'runningVar'
  | 'logits'
  | 'labels';

/** The inputs of a case by their names in the fixture script: those that its op takes. */
export type Inputs = Record<InputName, Tensor>;

/** One test for each device and case of test/fixtures/<op>.json; `call` runs the op on a case's inputs. */
export function testFixtures<Options>(
  op: string,
  call: (inputs: Inputs, options: Options) => Tensor,
  tolerance: Tolerance = {},
  devices: readonly Device[] = testDevices,
): void {
  describe.each(devices)(`${op} on %s`, (device) => {
    test.each(fixtureCases(op))('$name', (fixture) => {
      tidy(() => {
        const inputs = makeInputs(fixture.inputs, device);
        const y = autograd.record(() => call(inputs as Inputs, fixture.options as Options));
        expect(y.dtype).toBe(fixture.dtype);
        if (fixture.head) {
          const head = makeTensor(fixture.head, device);
          y.backward(y.dtype === 'float32' ? head : head.astype(y.dtype));
        }
        check(fixture, 'y', y, tolerance);
        for (const [name, input] of Object.entries(inputs)) {
          if (input.requiresGrad) check(fixture, `grad.${name}`, input.grad, tolerance);
          if (`after.${name}` in fixture.expected) check(fixture, `after.${name}`, input, tolerance);
        }
        for (const input of Object.values(inputs)) input.grad?.dispose();
      });
    });
  });
}

function check(fixture: FixtureCase, what: string, actual: Tensor | null, tolerance: Tolerance): void {
  const expected = fixture.expected[what] as Encoded;
  if (!actual) expect.fail(`${what}: expected a tensor of shape [${expected.shape.join(', ')}], got none`);
  expect(actual.shape, `shape of ${what}`).toEqual(expected.shape);
  expectClose(actual.dataSync(), decode(expected), { ...tolerance, what, shape: expected.shape });
}
