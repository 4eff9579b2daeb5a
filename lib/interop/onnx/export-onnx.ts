// Writes a net as an ONNX file: the options of `exportOnnx`, checked, and the steps of it.
import { currentDevice } from '../../device.js';
import { ConfigError, ShapeError } from '../../errors.js';
import { Block } from '../../nn/index.js';
import { checkBoolean, checkChoice, checkNumber, checkOptions } from '../../options.js';
import { packageVersion } from '../../version.js';
import { comparedBatches, type Size, sizesForAnyBatch } from './batch-sizes.js';
import type { ValueInfo } from './graph.js';
import { type RecordedNet, recordNet } from './recorded-net.js';

export interface ExportOnnxOptions {
  /** Of the input: [batch, channels, height, width] for images. With `dynamicBatch` the batch given here has no meaning. */
  inputShape: readonly number[];
  /** Names of the classes, by number; written to the file's metadata. */
  classNames?: readonly string[];
  /** What images went through after division by 255, (x - mean) / std for each channel; written to the metadata. Default: nothing. */
  normalization?: Normalization;
  /** 'fold' (default): into the weights of the convolution before it, where there is one. 'keep': as an operator of its own. */
  batchNorm?: 'fold' | 'keep';
  /** Whether the file takes any number of images. Default true. */
  dynamicBatch?: boolean;
  /** Of the graph. Default: the net's own name. */
  name?: string;
}

/** For each channel. */
export interface Normalization {
  mean: readonly number[];
  std: readonly number[];
}

const optionNames = ['inputShape', 'classNames', 'normalization', 'batchNorm', 'dynamicBatch', 'name'];
const where = 'exportOnnx()';

/**
 * Writes a net for prediction as an ONNX file (operator set 18), with its parameters as they are at the time of the call, in
 * float32 whatever the precision. One input, `input`, and one output, `output`; what lies between is what the net's forward
 * pass does for an input of this shape, under the parameters' structural names. The file appears whole or not at all.
 *
 * Metadata (`metadata_props`, texts): `class_names`, a JSON array; `normalization_mean` and `normalization_std`, JSON arrays;
 * `input_size`, the JSON array of the input's shape without the batch.
 *
 * Throws ConfigError: options; an op that ONNX does not have, with its layer; a net that does something else for another
 * batch; more than 2 GB. ShapeError: a shape that the net does not take. CheckpointError: the file cannot be written.
 */
export async function exportOnnx(net: Block, file: string, options: ExportOnnxOptions): Promise<void> {
  if (!(net instanceof Block))
    throw new ConfigError(`${where} expected a Block, got ${typeof net}.`, { argument: 'net' });
  const { inputShape, classNames, normalization, batchNorm, dynamicBatch, name } = checked(net, options);
  const [{ recorded, sizes }, { convertNet }, { writeModel }] = await Promise.all([
    recordForBatches(net, inputShape, dynamicBatch), // first: values are those of now
    import('./convert.js'), // with protobufjs
    import('./model-file.js'),
  ]);
  const converted = convertNet(recorded, sizes, batchNorm === 'fold');
  checkClasses(classNames, converted.output);
  const metadata: Record<string, string> = { input_size: JSON.stringify(inputShape.slice(1)) };
  if (classNames) metadata.class_names = JSON.stringify(classNames);
  if (normalization) {
    metadata.normalization_mean = JSON.stringify(normalization.mean);
    metadata.normalization_std = JSON.stringify(normalization.std);
  }
  await writeModel(file, { name, ...converted, producerVersion: packageVersion(), metadata });
}

/** The program, and the sizes of its values: for the given batch, or for any. */
async function recordForBatches(
  net: Block,
  inputShape: readonly number[],
  dynamicBatch: boolean,
): Promise<{ recorded: RecordedNet; sizes: readonly (readonly Size[])[] }> {
  const device =
    [...net.collectParams().values()].find(({ initialized }) => initialized)?.data().device ?? currentDevice();
  if (!dynamicBatch) {
    const recorded = await recordNet(net, inputShape, device);
    return { recorded, sizes: recorded.program.values.map(({ shape }) => shape) };
  }
  const [shape, otherShape] = comparedBatches.map((batch) => inputShape.with(0, batch)) as [number[], number[]];
  const recording = recordNet(net, shape, device);
  const again = recordNet(net, otherShape, device, { readParameters: false });
  const [recorded, other] = await Promise.all([recording, again]);
  return { recorded, sizes: sizesForAnyBatch(recorded, other) };
}

function checked(net: Block, options: ExportOnnxOptions) {
  checkOptions(where, options, optionNames);
  const { inputShape, classNames, normalization, batchNorm = 'fold', dynamicBatch = true, name = net.name } = options;
  if (
    !Array.isArray(inputShape) ||
    inputShape.length === 0 ||
    !inputShape.every((d) => Number.isSafeInteger(d) && d > 0)
  )
    throw new ShapeError(
      `${where} expected inputShape to be [batch, channels, height, width] or another array of positive integers, got ${JSON.stringify(inputShape)}.`,
      { inputShape },
    );
  checkChoice(where, 'batchNorm', batchNorm, ['fold', 'keep']);
  checkBoolean(where, 'dynamicBatch', dynamicBatch);
  if (classNames !== undefined) checkStrings('classNames', classNames);
  if (typeof name !== 'string')
    throw new ConfigError(`${where} expected name to be a string, got ${typeof name}.`, { argument: 'name' });
  if (normalization !== undefined) checkNormalization(normalization, inputShape[1]);
  return { inputShape, classNames, normalization, batchNorm, dynamicBatch, name };
}

function checkStrings(name: string, list: unknown): void {
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return;
  throw new ConfigError(`${where} expected ${name} to be an array of strings, got ${JSON.stringify(list)}.`, {
    argument: name,
  });
}

function checkNormalization(normalization: Normalization, channels: number | undefined): void {
  checkOptions(`${where}: normalization`, normalization, ['mean', 'std']);
  for (const name of ['mean', 'std'] as const) {
    const list: unknown = normalization[name];
    if (!Array.isArray(list) || list.length !== channels)
      throw new ConfigError(
        `${where} expected normalization.${name} to be an array of ${channels} numbers, one a channel, got ${JSON.stringify(list)}.`,
        { argument: `normalization.${name}` },
      );
    const range = name === 'std' ? { min: 0, exclusive: true } : {};
    for (const [i, value] of list.entries()) checkNumber(where, `normalization.${name}[${i}]`, value, range);
  }
}

/** There must be a name for each output. */
function checkClasses(classNames: readonly string[] | undefined, { shape }: ValueInfo): void {
  const classes = shape.at(-1);
  if (classNames && shape.length === 2 && classNames.length !== classes)
    throw new ConfigError(
      `${where} expected ${classes} class names, one for each output of the net, got ${classNames.length}.`,
      { argument: 'classNames', expected: classes, found: classNames.length },
    );
}
