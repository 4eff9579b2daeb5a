// saveParameters and loadParameters: round trip, names and shapes that do not fit, damage.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointError, ConfigError, memory, models, nn, tidy, uniform, zeros } from '../../lib/index.js';
import { writeSafetensors } from '../../lib/interop/safetensors.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { isEmulated, testDevices } from '../helpers/devices.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { readSafetensors } from '../helpers/safetensors.js';
import { expectClose } from '../helpers/tolerances.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const folder = temporaryFolder();
const makeNet = () => new nn.Sequential().add(new nn.Conv2D(2, { kernelSize: 3 }), new nn.BatchNorm(), new nn.Dense(3));
const ready = () => {
  const net = makeNet();
  net.initialize();
  tidy(() => void net.forward(zeros([1, 1, 5, 5])));
  return net;
};
const valuesOf = (net: nn.Block) =>
  [...net.collectParams()].map(([name, parameter]) => [name, [...parameter.shape], [...parameter.data().dataSync()]]);

onEachDevice((device) => {
  describe('round trip', () => {
    it('into a net with values, in place', async () => {
      const file = join(folder, 'a.safetensors');
      const [a, b] = [ready(), ready()];
      await a.saveParameters(file);
      expect(valuesOf(b)).not.toEqual(valuesOf(a));
      await collectGarbage();
      const before = memory().tensors;
      await b.loadParameters(file);
      expect(valuesOf(b)).toEqual(valuesOf(a));
      expect(memory().tensors).toBe(before);
    });
    it('into a net without values or shapes', async () => {
      const file = join(folder, 'b.safetensors');
      const [a, b] = [ready(), makeNet()];
      await a.saveParameters(file);
      await b.loadParameters(file);
      expect(valuesOf(b)).toEqual(valuesOf(a));
      const x = uniform([2, 1, 5, 5]);
      expect(b.forward(x).dataSync()).toEqual(a.forward(x).dataSync());
    });
    it('saves the values of the time of the call', async () => {
      const file = join(folder, 'c.safetensors');
      const net = ready();
      const before = valuesOf(net);
      const saving = net.saveParameters(file);
      for (const parameter of net.collectParams().values()) parameter.setData(zeros(parameter.shape));
      await saving;
      await net.loadParameters(file);
      expect(valuesOf(net)).toEqual(before);
    });
    it.skipIf(isEmulated(device))("of the chapter's net keeps its output", async () => {
      const file = join(folder, 'chapter.safetensors');
      const [a, b] = [models.chapterResNet18(), models.chapterResNet18()];
      a.initialize();
      const x = uniform([1, 1, 32, 32]);
      const y = a.forward(x).dataSync();
      await a.saveParameters(file);
      await b.loadParameters(file);
      expect(b.forward(x).dataSync()).toEqual(y);
    });
  });
});

describe.each(testDevices.flatMap((from) => testDevices.map((to) => [from, to] as const)))(
  'saved on %s, loaded on %s',
  (from, to) => {
    it('gives the same values, and outputs within rounding', async () => {
      const file = join(folder, `${from}-${to}.safetensors`);
      const [a, b] = [makeNet(), makeNet()];
      const x = uniform([2, 1, 5, 5], { device: from });
      a.initialize({ device: from });
      const y = a.forward(x);
      await a.saveParameters(file);
      b.initialize({ device: to });
      await b.loadParameters(file);
      expect(valuesOf(b)).toEqual(valuesOf(a));
      expect(b.collectParams().get('0.weight')?.data().device.name).toBe(to.name);
      expectClose(b.forward(x.to(to)).dataSync(), y.dataSync());
    });
  },
);

describe('what does not fit', () => {
  /** A file with the net's own tensors, changed. */
  async function changed(
    name: string,
    change: (tensors: Map<string, { shape: readonly number[]; values: Float32Array }>) => void,
  ): Promise<string> {
    const file = join(folder, `${name}.safetensors`);
    await ready().saveParameters(file);
    const { tensors } = await readSafetensors(file);
    change(tensors);
    await writeSafetensors(file, tensors);
    return file;
  }
  async function expectRefused(net: nn.Block, file: string, message: RegExp): Promise<void> {
    const before = valuesOf(net);
    await expect(net.loadParameters(file)).rejects.toThrow(CheckpointError);
    await expect(net.loadParameters(file)).rejects.toThrow(message);
    expect(valuesOf(net)).toEqual(before);
  }
  it('a missing tensor, unless allowed', async () => {
    const file = await changed('missing', (tensors) => tensors.delete('1.beta'));
    const net = ready();
    await expectRefused(
      net,
      file,
      /missing\.safetensors: expected the net's 8 tensors, found 1 of them missing: '1\.beta'/,
    );
    const beta = net.collectParams().get('1.beta') as nn.Parameter;
    beta.setData(Float32Array.of(5, 6));
    await net.loadParameters(file, { allowMissing: true });
    expect([...beta.data().dataSync()]).toEqual([5, 6]);
  });
  it('an extra tensor, unless ignored, of whatever type', async () => {
    const file = await changed('extra', (tensors) => {
      for (const key of ['x1', 'x2', 'x3', 'x4']) tensors.set(key, { shape: [1], values: new Float32Array(1) });
    });
    const net = ready();
    await expectRefused(net, file, /found 4 that it does not have: 'x1', 'x2', 'x3' and 1 more/);
    await net.loadParameters(file, { ignoreExtra: true });
  });
  it('another shape, also of the same size, also where a size is not known yet', async () => {
    const file = await changed('shape', (tensors) => {
      const { values } = tensors.get('2.weight') as { values: Float32Array };
      tensors.set('2.weight', { shape: [18, 3], values });
    });
    await expectRefused(ready(), file, /'2\.weight': expected shape \[3, 18\], found \[18, 3\]/);
    await expect(makeNet().loadParameters(file)).rejects.toThrow(/'2\.weight': expected shape \[3, 0\]/);
  });
  it('a file cut short', async () => {
    const file = join(folder, 'cut.safetensors');
    await ready().saveParameters(file);
    writeFileSync(file, readFileSync(file).subarray(0, -1));
    await expectRefused(ready(), file, /cut short/);
  });
  it('unknown options', async () => {
    await expect(ready().loadParameters('x', { allow_missing: true } as nn.LoadOptions)).rejects.toThrow(ConfigError);
  });
});

describe('saving', () => {
  it('refuses a net without values and writes nothing', async () => {
    await expect(makeNet().saveParameters(join(folder, 'never.safetensors'))).rejects.toThrow(
      /'conv\d+\.weight' has no values yet/,
    );
    expect(readdirSync(folder)).not.toContain('never.safetensors');
  });
  it('tells why a folder cannot be written', async () => {
    await expect(ready().saveParameters(join(folder, 'none', 'x'))).rejects.toThrow(CheckpointError);
    await expect(ready().saveParameters(join(folder, 'none', 'x'))).rejects.toThrow(/cannot be written: ENOENT/);
  });
});
