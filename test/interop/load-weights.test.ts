// Other libraries' weights: the same logits as PyTorch, names recognised, heads and channels adapted, and what does not fit.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointError, ConfigError, cpu, interop, models, nn, type Tensor, tensor } from '../../lib/index.js';
import { writeSafetensors } from '../../lib/interop/safetensors.js';
import { openWeights } from '../../lib/interop/weights-file.js';
import { decode, type Encoded, makeTensor, readJson } from '../helpers/fixtures.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { readSafetensors } from '../helpers/safetensors.js';
import { expectClose } from '../helpers/tolerances.js';
import { uniformValues } from '../helpers/values.js';
import { temporaryFolder } from './temporary-folder.js';

interface Expected {
  input: { shape: number[]; seed: number };
  widths: number[];
  classes: number;
  logits: Record<'basic' | 'bottleneck' | 'preActivation', Encoded>;
}

const folder = temporaryFolder();
const { input, widths, classes, logits } = readJson<Expected>('weights');
const weights = (name: string): string => new URL(`../fixtures/weights/${name}`, import.meta.url).pathname;

type Options = Parameters<typeof models.cifarResNet>[1];
const basic = (options: Options = {}) => models.cifarResNet(8, { widths, classes, shortcut: 'projection', ...options });
const bottleneck = () => models.cifarResNet(11, { widths, classes, bottleneck: true, version: 'v1.5' });
const preActivation = () => models.cifarResNet(11, { widths, classes, bottleneck: true });

const images = (device = cpu()) => makeTensor({ kind: 'uniform', ...input, scale: 1, offset: 0 }, device);
const valuesOf = (net: nn.Block) =>
  [...net.collectParams()].map(([name, parameter]) => [
    name,
    parameter.initialized && [...parameter.data().dataSync()],
  ]);

/** A safetensors file of torchvision's names, changed. */
async function changed(
  name: string,
  change: (tensors: Map<string, { shape: readonly number[]; values: Float32Array | Int32Array }>) => void,
) {
  const source = await readSafetensors(weights('torchvision.safetensors'));
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array | Int32Array }>();
  for (const [key, { shape, dtype, values }] of source.tensors)
    if (dtype === 'F32') tensors.set(key, { shape, values });
  change(tensors);
  const file = join(folder, `${name}.safetensors`);
  await writeSafetensors(file, tensors);
  return file;
}

onEachDevice((device) => {
  describe("PyTorch's logits", () => {
    it.each([
      ['torchvision.pth', basic, 'basic', 'pytorch', 'torchvision', ''],
      ['torchvision.safetensors', basic, 'basic', 'safetensors', 'torchvision', ''],
      ['checkpoint.pth', basic, 'basic', 'pytorch', 'torchvision', 'module.'],
      ['huggingface.bin', bottleneck, 'bottleneck', 'pytorch', 'huggingface', 'resnet.'],
      ['timm.pth', preActivation, 'preActivation', 'pytorch', 'timm', ''],
    ] as const)('%s', async (file, make, expected, format, names, prefix) => {
      const net = make();
      const report = await interop.loadWeights(net, weights(file));
      expect(report).toMatchObject({ format, names, prefix, missing: [], leftOver: [], kept: [], adapted: null });
      expect([...report.mapped.keys()]).toEqual([...net.collectParams().keys()]);
      expectClose(net.forward(images(device)).dataSync(), decode(logits[expected]), { rtol: 0, atol: 1e-4 });
    });
    it.each(['residua', 'torchvision'] as const)("survive a file under %s's names", async (names) => {
      const [one, other] = [basic(), basic()];
      await interop.loadWeights(one, weights('torchvision.pth'));
      const file = join(folder, `${names}-${device}.safetensors`);
      await interop.saveWeights(one, file, { names });
      expect((await interop.loadWeights(other, file)).names).toBe(names);
      expect(valuesOf(other)).toEqual(valuesOf(one));
      expectClose(other.forward(images(device)).dataSync(), decode(logits.basic), { rtol: 0, atol: 1e-4 });
    });
  });
});

describe('saved names', () => {
  it("are torchvision's, all that PyTorch's own file has but the counts of batches", async () => {
    const net = basic();
    await interop.loadWeights(net, weights('torchvision.pth'));
    const file = join(folder, 'names.safetensors');
    await interop.saveWeights(net, file, { names: 'torchvision' });
    const [ours, theirs] = [await readSafetensors(file), await openWeights(weights('torchvision.pth'))];
    await theirs.close();
    const names = [...theirs.tensors.keys()].filter((name) => !name.endsWith('num_batches_tracked'));
    expect([...ours.tensors.keys()].sort()).toEqual(names.sort());
    expect(ours.metadata.get('format')).toBe('pt');
  });
  it('must differ, and options must be known', async () => {
    class Odd extends nn.Block {
      weight = new nn.Parameter('one', { shape: [1] });
      gamma = new nn.Parameter('two', { shape: [1] });
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    await expect(interop.saveWeights(new Odd(), join(folder, 'never'), { names: 'torchvision' })).rejects.toThrow(
      /'weight' for one and two/,
    );
    await expect(interop.saveWeights(basic(), 'x', { names: 'caffe' as 'residua' })).rejects.toThrow(ConfigError);
  });
});

describe('names', () => {
  it('are found behind a prefix, with the head beside the backbone', async () => {
    const file = await changed('backbone', (tensors) => {
      for (const [name, value] of [...tensors]) {
        tensors.delete(name);
        tensors.set(name.startsWith('fc.') ? `module.${name}` : `module.backbone.${name}`, value);
      }
    });
    const net = basic();
    const report = await interop.loadWeights(net, file);
    expect(report).toMatchObject({ names: 'torchvision', prefix: 'module.backbone.', leftOver: [] });
    expect(report.mapped.get('fc.bias')).toBe('module.fc.bias');
    expectClose(net.forward(images()).dataSync(), decode(logits.basic), { rtol: 0, atol: 1e-4 });
  });
  it('of another net are refused', async () => {
    const file = await changed('other', (tensors) => {
      tensors.clear();
      tensors.set('encoder.weight', { shape: [1], values: Float32Array.of(1) });
    });
    await expect(interop.loadWeights(basic(), file)).rejects.toThrow(
      /expected tensors with the names.*'encoder\.weight'/,
    );
  });
});

describe('on request', () => {
  const withHead = (net: nn.Block): nn.Block => {
    net.initialize();
    return net;
  };
  it('another head is kept as it is', async () => {
    const net = withHead(basic({ classes: 3 }));
    const before = valuesOf(net).slice(-2);
    const report = await interop.loadWeights(net, weights('torchvision.pth'), { head: 'replace' });
    expect(report).toMatchObject({ kept: ['fc.weight', 'fc.bias'], missing: [], leftOver: [] });
    expect(valuesOf(net).slice(-2)).toEqual(before);
    expect(report.mapped.has('fc.weight')).toBe(false);
    await expect(interop.loadWeights(net, weights('torchvision.pth'))).rejects.toThrow(
      /'fc\.weight': expected shape \[3, 8\], found \[5, 8\]\. \{ head: 'replace' \}/,
    );
  });
  it('a file without head is enough for a new one', async () => {
    const file = await changed('headless', (tensors) => {
      for (const name of ['fc.weight', 'fc.bias']) tensors.delete(name);
    });
    const net = withHead(basic({ classes: 3 }));
    await interop.loadWeights(net, file, { head: 'replace' });
    await expect(interop.loadWeights(net, file)).rejects.toThrow(/2 of them missing: 'fc\.weight', 'fc\.bias'/);
    expect((await interop.loadWeights(net, file, { allowMissing: true })).missing).toEqual(['fc.weight', 'fc.bias']);
  });

  /** Logits for images whose channels are all the same grey. */
  async function grey(net: nn.Block, channels: number, options: interop.LoadWeightsOptions) {
    const report = await interop.loadWeights(net, weights('torchvision.pth'), options);
    const plane = uniformValues(9 * 8, 3);
    const values = Float32Array.from({ length: channels * 72 }, (_, i) => plane[i % 72] as number);
    return { report, logits: net.forward(tensor(values, { shape: [1, channels, 9, 8] })).dataSync() };
  }
  it.each([
    [1, 'sum'],
    [1, 'repeat'],
    [6, 'repeat'],
  ] as const)('%i input channels by %s: grey images have the same logits', async (inChannels, how) => {
    const expected = await grey(basic(), 3, {});
    const found = await grey(basic({ inChannels }), inChannels, { inChannels: how });
    expect(found.report.adapted).toBe('conv1.weight');
    expectClose(found.logits, expected.logits);
  });
  it('four channels repeat the first and are scaled by 3/4', async () => {
    const [three, four] = [basic(), basic({ inChannels: 4 })];
    await interop.loadWeights(three, weights('torchvision.pth'), { inChannels: 'repeat' }); // as many: nothing to adapt
    await interop.loadWeights(four, weights('torchvision.pth'), { inChannels: 'repeat' });
    const [from, to] = [three, four].map((net) => net.conv1.weight.data().dataSync()) as [Float32Array, Float32Array];
    const expected = Float32Array.from({ length: 4 * 4 * 9 }, (_, i) => {
      const [o, c, tap] = [Math.floor(i / 36), Math.floor(i / 9) % 4, i % 9];
      return (from[(o * 3 + (c % 3)) * 9 + tap] as number) * 0.75;
    });
    expectClose(to, expected);
  });
  it('else another number of channels is refused, with the options', async () => {
    await expect(interop.loadWeights(basic({ inChannels: 1 }), weights('torchvision.pth'))).rejects.toThrow(
      /'conv1\.weight': expected shape \[4, 1, 3, 3\], found \[4, 3, 3, 3\]\. \{ inChannels: 'sum' \} or/,
    );
    await expect(
      interop.loadWeights(basic({ inChannels: 2 }), weights('torchvision.pth'), { inChannels: 'sum' }),
    ).rejects.toThrow(/net of 1 input channel.*found 2.*'repeat'/);
  });
});

describe('what does not fit changes nothing', () => {
  const cases: [string, Parameters<typeof changed>[1], RegExp][] = [
    ['a missing tensor', (tensors) => tensors.delete('layer2.0.bn1.bias'), /1 of them missing: 'layer2\.0\.bn1\.beta'/],
    [
      'an extra one',
      (tensors) => tensors.set('layer4.0.conv1.weight', { shape: [1], values: Float32Array.of(1) }),
      /1 that it does not have: 'layer4\.0\.conv1\.weight'.*ignoreExtra/,
    ],
    [
      'another shape',
      (tensors) => tensors.set('bn1.weight', { shape: [2], values: new Float32Array(2) }),
      /'bn1\.weight': expected shape \[4\], found \[2\]\.$/,
    ],
    [
      'integers',
      (tensors) => tensors.set('bn1.weight', { shape: [4], values: new Int32Array(4) }),
      /'bn1\.weight': expected dtype.*found I32/,
    ],
  ];
  it.each(cases)('%s', async (name, change, message) => {
    const file = await changed(name, change);
    const net = basic();
    net.initialize();
    const before = valuesOf(net);
    await expect(interop.loadWeights(net, file)).rejects.toThrow(CheckpointError);
    await expect(interop.loadWeights(net, file)).rejects.toThrow(message);
    expect(valuesOf(net)).toEqual(before);
  });
  it('an extra tensor is passed over on request, and told', async () => {
    const file = await changed('ignored', (tensors) => tensors.set('aux', { shape: [1], values: Float32Array.of(1) }));
    expect((await interop.loadWeights(basic(), file, { ignoreExtra: true })).leftOver).toEqual(['aux']);
  });
  it.each([{ head: 'keep' }, { inChannels: 'mean' }, { allowMissing: 1 }, { strict: true }])(
    'options %j',
    async (options) => {
      await expect(interop.loadWeights(basic(), 'x', options as interop.LoadWeightsOptions)).rejects.toThrow(
        ConfigError,
      );
    },
  );
  it('a file that is not there, a folder, a wrong ending', async () => {
    await expect(interop.loadWeights(basic(), join(folder, 'none.pth'))).rejects.toThrow(
      /none\.pth: cannot be read: ENOENT/,
    );
    await expect(interop.loadWeights(basic(), folder)).rejects.toThrow(/regular file/);
    const file = join(folder, 'really.safetensors');
    copyFileSync(weights('torchvision.pth'), file);
    expect((await interop.loadWeights(basic(), file)).format).toBe('pytorch'); // contents count, not the name
  });
});
