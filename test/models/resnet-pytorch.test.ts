// Every net of the family against PyTorch (scripts/fixtures/resnet_family.py): logits and all gradients of one training step.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backendOf } from '../../lib/device.js';
import {
  autograd,
  cpu,
  type Device,
  init,
  loss,
  models,
  type nn,
  type Precision,
  setDevice,
  setPrecision,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/index.js';
import { isEmulated, supports, testDevices } from '../helpers/devices.js';
import { decode, type Encoded, readJson } from '../helpers/fixtures.js';
import { expectClose } from '../helpers/tolerances.js';
import { integerValues, sizeOf, uniformValues } from '../helpers/values.js';
import { nameSeed, setFamilyValues } from './family-values.js';

// Hundreds of shapes that come once each: none is worth timing algorithms for.
vi.hoisted(() => {
  process.env.RESIDUA_TUNE = '0';
});
vi.setConfig({ testTimeout: 180_000 });

interface Case {
  /** For `models.byName`. */
  model: string;
  options: models.ResNetOptions;
  side: number;
  /** Of images with which no ReLU and no max pooling is near another choice. */
  inputSeed: number;
  /** Trainable ones: numbers, and tensors. */
  parameters: number;
  tensors: number;
  /** `nameSeed` of the tensors' structural names, sorted, one a line. */
  names: number;
  /** Logits [batch, classes] with running and with the batch's statistics. */
  inference: Encoded;
  training: Encoded;
  /** [tensors, 2] by sorted name: norm, and product with hashed values. */
  gradients: Encoded;
}

interface Family {
  classes: number;
  batch: number;
  labelSeed: number;
  projectionSeed: number;
  projected: number;
  tile: number;
  cases: Case[];
}

const family = readJson<Family>('resnet_family');
const title = ({ model, options }: Case): string => [model, ...Object.values(options)].join(' ');

interface Step {
  inference: Float32Array;
  training: Float32Array;
  gradients: [norm: number, projection: number][];
  net: nn.Block;
}

/** What one step computes from the fixture's weights. */
async function step(
  { model, options, side, inputSeed }: Case,
  device: Device,
  captured: boolean,
  precision: Precision,
): Promise<Step> {
  setDevice(device);
  const net = models.byName(model, { ...options, classes: family.classes });
  net.initialize({ init: new init.Zero(), device }); // soon done, as all is set
  setFamilyValues(net, family.tile);
  const shape = [family.batch, options.inChannels ?? 3, side, side];
  const x = tensor(uniformValues(sizeOf(shape), inputSeed), { shape, device });
  const labels = tensor(integerValues(family.batch, family.labelSeed, family.classes), { device });
  setPrecision(precision);
  net.hybridize(captured);
  const inference = (await tidy(() => net.forward(x)).data()) as Float32Array;
  const [logits, losses] = autograd.record((): [Tensor, Tensor] => {
    const scores = net.forward(x);
    return [scores, new loss.SoftmaxCrossEntropyLoss().forward(scores, labels)];
  });
  losses.backward();
  const training = (await logits.data()) as Float32Array;
  return { inference, training, gradients: await gradientsOf(net), net };
}

async function gradientsOf(net: nn.Block): Promise<[number, number][]> {
  const statistics: [number, number][] = [];
  const parameters = net.collectParams();
  const hashed = uniformValues(family.projected, family.projectionSeed);
  for (const name of trainedNames(net)) {
    const gradient = (await parameters.get(name)!.grad().data()) as Float32Array;
    let [squares, projection] = [0, 0];
    for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!; // tens of millions
    for (let i = 0; i < Math.min(gradient.length, hashed.length); i++) projection += hashed[i]! * gradient[i]!;
    statistics.push([Math.sqrt(squares) / family.batch, projection / family.batch]);
  }
  return statistics;
}

const trainedNames = (net: nn.Block): string[] =>
  [...net.collectParams()]
    .filter(([, { trainable }]) => trainable)
    .map(([name]) => name)
    .sort();

function expectStep(found: Step, expected: Case, { logits, gradients }: { logits: number; gradients: number }): void {
  const names = trainedNames(found.net);
  expect(names).toHaveLength(expected.tensors);
  expect(nameSeed(names.join('\n'))).toBe(expected.names);
  for (const mode of ['inference', 'training'] as const) {
    const values = decode(expected[mode]);
    expectClose(found[mode], values, { what: `${mode} logits`, shape: expected[mode].shape, rtol: 0, atol: logits });
  }
  const statistics = decode(expected.gradients); // [tensors, 2]
  const largest = Math.max(...names.map((_, i) => statistics[2 * i]!));
  const differences = names.map((name, i) => {
    const [norm, projection] = [statistics[2 * i]!, statistics[2 * i + 1]!];
    // Some gradients are 0 but for rounding (a norm takes away what a beta before it adds): the largest one sets a floor.
    const scale = norm + 1e-3 * largest;
    const [foundNorm, foundProjection] = found.gradients[i]!;
    return { name, by: Math.max(Math.abs(foundNorm - norm), Math.abs(foundProjection - projection)) / scale };
  });
  differences.sort((a, b) => a.by - b.by);
  // With other images a ReLU whose input rounding alone moves across 0 would change gradients by up to half, PyTorch's own as well.
  expect(differences.at(-1)!.by, `gradient of ${differences.at(-1)!.name}`).toBeLessThan(gradients);
  expect(differences[Math.floor(0.95 * differences.length)]!.by, '95% of the gradients').toBeLessThan(gradients / 4);
}

// Five times the worst found: logits 1.5e-5, a gradient 8e-5, 95% of them 2.1e-5. PyTorch's own float32 is within 2e-5 and 6e-6.
const bounds = { logits: 1e-4, gradients: 4e-4 };

let threads: number;
beforeEach(() => {
  threads = Number(backendOf(cpu()).describe().threads);
});
afterEach(() => {
  setThreads(threads);
  setPrecision('float32');
  setDevice(cpu());
});

// A net of each kind of block and shortcut: recorded and run as one program, and in 16 bits.
const kinds = family.cases.filter(({ model, side }) => side <= 32 && /20$|164$|18$/.test(model));
const narrow = family.cases.filter(({ options }) => options.widths !== undefined);
/** Every net of the family, in each version where that is soon done. */
const onEmulation = family.cases.filter(
  ({ model, options }) => !/^resnet(34|101|152)$/.test(model) || options.version === 'v1.5',
);

describe.each(testDevices)('one step on %s as in PyTorch', (device) => {
  const cases = isEmulated(device) ? [...kinds, ...narrow] : family.cases;
  test.each(cases.map((each) => [title(each), each] as const))('%s', async (_, each) => {
    if (each.side <= 8) setThreads(1); // thousands of ops of microseconds: threads would only wait for each other
    const found = await step(each, device, false, 'float32');
    expect(
      [...found.net.collectParams().values()].filter((p) => p.trainable).reduce((n, p) => n + sizeOf(p.shape), 0),
    ).toBe(each.parameters);
    expectStep(found, each, bounds);
  });
});

describe.each(testDevices)('captured on %s as in PyTorch', (device) => {
  const cases = isEmulated(device) ? onEmulation : kinds;
  test.each(cases.map((each) => [title(each), each] as const))('%s', async (_, each) => {
    expectStep(await step(each, device, true, 'float32'), each, bounds);
  });
});

describe.each(testDevices.filter((device) => supports(device, 'bfloat16')))(
  'in bfloat16 on %s near PyTorch in float32',
  (device) => {
    const cases = kinds.filter(({ model }) => model !== 'cifar-resnet164');
    describe.each(cases.map((each) => [title(each), each] as const))('%s', (_, each) => {
      test.each([false, true])('captured: %s', async (captured) => {
        const found = await step(each, device, captured, 'bfloat16');
        for (const mode of ['inference', 'training'] as const) {
          const values = decode(each[mode]);
          const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expectClose(found[mode], values, { what: `${mode} logits`, rtol: 0, atol: 0.03 * largest });
        }
        // Most gradients keep three digits less than float32's; all of them their direction as a whole.
        const statistics = decode(each.gradients);
        const ratios = found.gradients.map(([norm], i) => norm / statistics[2 * i]!).sort((a, b) => a - b);
        expect(Math.abs(ratios[ratios.length >> 1]! - 1)).toBeLessThan(0.05);
      });
    });
  },
);
