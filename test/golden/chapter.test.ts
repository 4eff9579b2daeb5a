// Ten SGD steps of the chapter's ResNet-18 from equal weights, loss by loss against PyTorch (scripts/fixtures/golden.py).
import { beforeAll, describe, expect, test } from 'vitest';
import { autograd, loss, models, type nn, type Tensor, Trainer, tensor, tidy, zeros } from '../../lib/index.js';
import { isEmulated, testDevices } from '../helpers/devices.js';
import { decode, type Encoded, readJson } from '../helpers/fixtures.js';
import { expectClose } from '../helpers/tolerances.js';
import { integerValues, sizeOf, uniformValues } from '../helpers/values.js';

interface Golden {
  steps: number;
  batch: number;
  learningRate: number;
  inputSeed: number;
  labelSeed: number;
  losses: number[];
  /** After the last step. */
  logits: { training: Encoded; inference: Encoded };
  parameters: { name: string; shape: number[]; seed: number; scale: number; offset: number; gradNorm: number }[];
}

const golden = readJson<Golden>('golden');

/** The chapter's net with the weights of the golden run. */
function makeNet(x: Tensor): nn.Sequential {
  const net = models.chapterResNet18();
  net.initialize({ device: x.device });
  tidy(() => net.forward(zeros([1, ...x.shape.slice(1)], { device: x.device }))); // tells the shapes
  const parameters = net.collectParams();
  for (const { name, shape, seed, scale, offset } of golden.parameters) {
    const parameter = parameters.get(name);
    if (!parameter) throw new Error(`The net has no parameter '${name}'; it has ${[...parameters.keys()].join(', ')}.`);
    expect(parameter.shape, name).toEqual(shape);
    parameter.setData(uniformValues(sizeOf(shape), seed, scale, offset));
  }
  return net;
}

const sum = (values: ArrayLike<number>, term = (value: number) => value): number =>
  Array.from(values).reduce((total, value) => total + term(value), 0);
const norm = (values: ArrayLike<number>): number => Math.sqrt(sum(values, (value) => value * value));

/** Mean losses of the steps, the gradients' norms at the first, the logits after the last. */
async function train(net: nn.Sequential, x: Tensor, labels: Tensor, steps: number) {
  const parameters = net.collectParams();
  const trainer = new Trainer(parameters, 'sgd', { learningRate: golden.learningRate });
  const lossOf = new loss.SoftmaxCrossEntropyLoss();
  const losses: number[] = [];
  const gradNorms: Record<string, number> = {};
  for (let step = 0; step < steps; step++) {
    const sampleLosses = autograd.record(() => lossOf.forward(net.forward(x), labels)); // [batch]
    sampleLosses.backward();
    if (step === 0)
      for (const { name } of golden.parameters)
        gradNorms[name] = norm(await parameters.get(name)!.grad().data()) / golden.batch;
    trainer.step(golden.batch);
    losses.push(sum(await sampleLosses.data()) / golden.batch);
    sampleLosses.dispose();
  }
  const logits = (training: boolean) => tidy(() => autograd.pause(() => net.forward(x).dataSync(), { training }));
  return { losses, gradNorms, logits: { training: logits(true), inference: logits(false) } };
}

describe.each(testDevices)('golden run of the chapter net on %s', (device) => {
  const steps = isEmulated(device) ? 2 : golden.steps; // a step takes the emulation long
  let net: nn.Sequential;
  let run: Awaited<ReturnType<typeof train>>;

  beforeAll(async () => {
    const x = tensor(uniformValues(golden.batch * 96 * 96, golden.inputSeed), {
      shape: [golden.batch, 1, 96, 96],
      device,
    });
    const labels = tensor(integerValues(golden.batch, golden.labelSeed, 10), { device });
    net = makeNet(x);
    run = await train(net, x, labels, steps);
  }, 600_000);

  test("has PyTorch's parameters, all of them", () => {
    const trained = [...net.collectParams()].filter(([, parameter]) => parameter.trainable);
    expect(trained.map(([name]) => name).sort()).toEqual(golden.parameters.map(({ name }) => name).sort());
    expect(sum(trained.map(([, parameter]) => sizeOf(parameter.shape)))).toBe(11_178_378);
  });

  test.each(golden.losses.slice(0, steps).map((expected, i) => ({ step: i + 1, expected })))(
    'loss of step $step is $expected',
    ({ step, expected }) => {
      expectClose([run.losses[step - 1]!], [expected], { what: 'loss', rtol: 1e-3, atol: 0 });
    },
  );

  test("the first gradients have PyTorch's norms", () => {
    // A bias before a norm has gradient 0 but for rounding. The gradients of the first norms sum thousands of terms that
    // nearly cancel: there PyTorch in float32 is 7e-4 from float64, and a Winograd convolution 2e-3.
    for (const { name, gradNorm } of golden.parameters)
      expectClose([run.gradNorms[name]!], [gradNorm], { what: `gradient norm of ${name}`, rtol: 1e-2, atol: 1e-5 });
  });

  test.skipIf(steps < golden.steps).each(['training', 'inference'] as const)(
    'the logits after the last step, in %s mode',
    (mode) => {
      const expected = decode(golden.logits[mode]);
      const largest = Math.max(...expected.map(Math.abs));
      expectClose(run.logits[mode], expected, {
        what: 'logits',
        shape: golden.logits[mode].shape,
        rtol: 1e-2,
        atol: 1e-2 * largest,
      });
    },
  );
});
