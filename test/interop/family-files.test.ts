// Every depth and version through files: weights in a .pth, then safetensors, then ONNX give PyTorch's logits each time; and other
// libraries' names of all tensors (scripts/fixtures/family_files.py, which computes the same weights).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test, vi } from 'vitest';
import { interop, models, type nn, tensor } from '../../lib/index.js';
import { nameIn, type WeightNames } from '../../lib/interop/weight-names.js';
import { decode, type Encoded, readJson } from '../helpers/fixtures.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';
import { familyValues, nameSeed } from '../models/family-values.js';
import { stateDictFile } from './hand-made-archives.js';
import { temporaryFolder } from './temporary-folder.js';

// Hundreds of shapes that come once each: none is worth timing algorithms for.
vi.hoisted(() => {
  process.env.RESIDUA_TUNE = '0';
});

interface Case {
  depth: 18 | 34 | 50 | 101 | 152;
  version: models.ResNetVersion;
  /** [batch, classes] */
  logits: Encoded;
  library: WeightNames;
  /** `nameSeed` of that library's names, sorted, one a line. */
  names: number;
}

interface Family {
  widths: number[];
  classes: number;
  batch: number;
  side: number;
  inputSeed: number;
  tile: number;
  cases: Case[];
}

const { widths, classes, batch, side, inputSeed, tile, cases } = readJson<Family>('family_files');
const folder = temporaryFolder();
const shape = [batch, 3, side, side];
const x = uniformValues(sizeOf(shape), inputSeed);
const leaves = new Map(
  Object.entries({ gamma: 'weight', beta: 'bias', runningMean: 'running_mean', runningVar: 'running_var' }),
);

const make = ({ depth, version }: Case): nn.Block => models.resnet(depth, { version, widths, classes });

/** A .pth with PyTorch's names, of the fixture's weights. */
function writePth(net: nn.Block, file: string): void {
  const tensors = [...net.collectParams()].map(([name, parameter]) => {
    const torchName = name.replace(/\w+$/, (leaf) => leaves.get(leaf) ?? leaf);
    return [torchName, { shape: parameter.shape, values: familyValues(name, parameter.shape, tile) }] as const;
  });
  writeFileSync(file, stateDictFile(new Map(tensors)));
}

/** [batch, classes] */
const logitsOf = async (net: nn.Block) => (await net.forward(tensor(x, { shape })).data()) as Float32Array;

async function onnxLogits(file: string): Promise<Float32Array> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const { output } = await session.run({ input: new OrtTensor('float32', x, shape) });
  await session.release();
  return output?.data as Float32Array;
}

describe.each(cases.map((each) => [`resnet${each.depth} ${each.version}`, each] as const))('%s', (_, each) => {
  test('.pth, safetensors and ONNX', async () => {
    const [pth, safetensors, onnx] = [join(folder, 'a.pth'), join(folder, 'a.safetensors'), join(folder, 'a.onnx')];
    const check = (found: Float32Array, what: string): void =>
      expectClose(found, decode(each.logits), { what, shape: each.logits.shape, rtol: 0, atol: 1e-4 });
    const [fromPth, fromSafetensors] = [make(each), make(each)];
    writePth(fromPth, pth);
    const report = await interop.loadWeights(fromPth, pth);
    expect(report).toMatchObject({ format: 'pytorch', names: 'torchvision', missing: [], leftOver: [] });
    check(await logitsOf(fromPth), '.pth');
    await interop.saveWeights(fromPth, safetensors, { names: 'torchvision' });
    await interop.loadWeights(fromSafetensors, safetensors);
    check(await logitsOf(fromSafetensors), 'safetensors');
    await interop.exportOnnx(fromSafetensors, onnx, { inputShape: [1, 3, side, side] });
    check(await onnxLogits(onnx), 'ONNX');
  });

  test(`${each.library}'s names`, () => {
    const backbone = each.library === 'huggingface' ? 'resnet.' : '';
    const names = [...make(each).collectParams().keys()].map(
      (name) => (name.startsWith('fc.') ? '' : backbone) + nameIn(each.library, name),
    );
    expect(nameSeed(names.sort().join('\n'))).toBe(each.names);
  });
});
