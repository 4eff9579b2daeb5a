// Every net of the family, exported: onnxruntime gives the logits that we compute, for one image and for three.
import { describe, expect, test } from 'vitest';
import { models, type nn, seed, zeros } from '../../lib/index.js';
import { difference, ExportedNet } from './onnx-session.js';
import { randomizeNorms } from './random-norms.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();
const tolerance = 1e-5; // float32, sums in another order

interface Case {
  net: nn.Block;
  /** [batch, channels, height, width] */
  inputShape: [number, number, number, number];
}

/** The net by its name; `narrow`: with a quarter of the channels, and so a sixteenth of the weights, in the same graph. */
function make(name: string, { narrow = true }: { narrow?: boolean } = {}): Case {
  seed(3);
  const isChapter = name.startsWith('chapter');
  const isImageNet = /^(wide-)?resne[xt]/.test(name);
  const net = models.byName(name, isImageNet && narrow ? { classes: 100, widths: [16, 32, 64, 128] } : {});
  const side = isImageNet ? 64 : 32;
  const inputShape: Case['inputShape'] = [1, isChapter ? 1 : 3, side, side];
  net.initialize();
  if (isChapter) net.forward(zeros(inputShape)).dispose(); // its sizes are inferred
  randomizeNorms(net);
  return { net, inputShape };
}

/** The largest difference between onnxruntime and us over batches of 1 and 3; the logits of the three images must differ. */
async function differenceOf({ net, inputShape }: Case, batchNorm: 'fold' | 'keep' = 'fold'): Promise<number> {
  const exported = await ExportedNet.make(net, folder, { inputShape, batchNorm });
  try {
    const one = await exported.run(inputShape.with(0, 1));
    const three = await exported.run(inputShape.with(0, 3), 2);
    const [, classes] = three.shape as [number, number];
    const [first, second] = [0, 1].map((i) => Array.from(three.ours).slice(i * classes, (i + 1) * classes));
    expect(difference({ theirs: Float32Array.from(first as number[]), ours: second as number[] })).toBeGreaterThan(
      0.003,
    );
    return Math.max(difference(one), difference(three));
  } finally {
    await exported.close();
  }
}

describe('every model by its name', () => {
  const names = models.modelNames.filter((name) => !['cifar-resnet1001-v2', 'resnet'].includes(name)); // the same net as without -v2; a net whose blocks must be told
  test.each(names)('%s', async (name) => {
    expect(await differenceOf(make(name))).toBeLessThan(tolerance);
  });
});

describe('at full width', () => {
  test.each(['resnet18', 'resnet50'])('%s', async (name) => {
    expect(await differenceOf(make(name, { narrow: false }))).toBeLessThan(tolerance);
  });
});

describe('BatchNorm kept', () => {
  test.each(['resnet18', 'resnet50-v1', 'resnet50-v2', 'cifar-resnet20', 'chapter-resnet18'])('%s', async (name) => {
    expect(await differenceOf(make(name), 'keep')).toBeLessThan(tolerance);
  });
});
