// Brings other people's weights into a net: names recognised, another head or number of input channels on request.
import { CheckpointError } from '../errors.js';
import { type Block, Conv2D, Dense, type Parameter, type ParameterDict } from '../nn/index.js';
import { shorten } from '../nn/parameter-file.js';
import { fitsShape } from '../nn/parameter-options.js';
import { checkBoolean, checkChoice, checkOptions } from '../options.js';
import { adaptChannels, type ChannelOption } from './adapt-channels.js';
import { floatTypes } from './dtypes.js';
import { matchNames, type NameMatch } from './match-names.js';
import { refuse } from './refuse.js';
import type { WeightNames } from './weight-names.js';
import { openWeights, type StoredTensor, type WeightsFile, type WeightsFormat } from './weights-file.js';

export interface LoadWeightsOptions {
  /** 'replace': the net's last Dense layer keeps the values that it has, for other classes than the file's. Default: it is loaded. */
  head?: 'replace';
  /**
   * What to do where the net has another number of input channels than the file. 'sum': the first convolution's weights
   * are summed over the channels, for a net with one. 'repeat': they are repeated over the net's channels and scaled, so
   * that channels that are alike give the same result. Default: an error.
   */
  inChannels?: ChannelOption;
  /** Leave parameters that the file does not have as they are. Default false: an error. */
  allowMissing?: boolean;
  /** Pass over tensors that the net does not have. Default false: an error. */
  ignoreExtra?: boolean;
}

/** What became of the tensors of a file and of the parameters of a net. */
export interface WeightsReport {
  file: string;
  format: WeightsFormat;
  /** Whose names the file has. */
  names: WeightNames;
  /** What the names begin with in the file, such as 'module.'. */
  prefix: string;
  /** Our structural name -> the file's name, of all that was loaded. */
  mapped: ReadonlyMap<string, string>;
  /** The head's parameters, where it keeps its values. */
  kept: readonly string[];
  /** The first convolution's weight, where its input channels were summed or repeated; else null. */
  adapted: string | null;
  /** Parameters that the file does not have. */
  missing: readonly string[];
  /** Tensors that the net does not have. */
  leftOver: readonly string[];
}

const optionNames = ['head', 'inChannels', 'allowMissing', 'ignoreExtra'];

/**
 * Loads a safetensors file or one of torch.save (.pth, .pt) into a net. The file's names may be ours, torchvision's, timm's
 * or Hugging Face's: they are recognised, as is what DataParallel and the like put before them. A training checkpoint's
 * state dict is found. float64, float16 and bfloat16 become float32; PyTorch's counts of batches are passed over.
 * Nothing that a file holds is executed.
 *
 * Throws CheckpointError where names, shapes or types do not fit or the file is damaged, and then changes nothing;
 * ConfigError for options.
 */
export async function loadWeights(net: Block, file: string, options: LoadWeightsOptions = {}): Promise<WeightsReport> {
  checkOptions('loadWeights()', options, optionNames);
  if (options.head !== undefined) checkChoice('loadWeights()', 'head', options.head, ['replace']);
  if (options.inChannels !== undefined)
    checkChoice('loadWeights()', 'inChannels', options.inChannels, ['sum', 'repeat']);
  for (const name of ['allowMissing', 'ignoreExtra'] as const)
    checkBoolean('loadWeights()', name, options[name] ?? false);
  const weights = await openWeights(file);
  try {
    return await loadFrom(weights, net, options);
  } finally {
    await weights.close();
  }
}

async function loadFrom(weights: WeightsFile, net: Block, options: LoadWeightsOptions): Promise<WeightsReport> {
  const parameters = net.collectParams();
  const head = headOf(net, parameters);
  const match = matchNames([...parameters.keys()], weights.tensors, (name) => head.includes(name)) ?? noMatch(weights);
  const report = reportOf(weights, match, parameters, options.head === 'replace' ? head : []);
  checkComplete(report, parameters.size, options);
  const first = firstConvolution(net);
  const planned = [...report.mapped].map(([name, theirs]) => {
    const parameter = parameters.get(name) as Parameter;
    const stored = weights.tensors.get(theirs) as StoredTensor;
    return {
      parameter,
      stored,
      ...checkTensor(weights.file, theirs, parameter, stored, options, parameter === first, head.includes(name)),
    };
  });
  // Everything is read before anything is set, for reading may fail too.
  const values = await Promise.all(planned.map(({ stored }) => stored.readFloats()));
  for (const [i, { parameter, stored, shape, isAdapted }] of planned.entries()) {
    const read = values[i] as Float32Array;
    parameter.setHostData(isAdapted ? adaptChannels(read, stored.shape, shape) : read, shape);
  }
  const adapted = planned.find(({ isAdapted }) => isAdapted)?.parameter;
  return { ...report, adapted: [...parameters].find(([, parameter]) => parameter === adapted)?.[0] ?? null };
}

/** Structural names of the parameters of the last Dense layer. */
function headOf(net: Block, parameters: ParameterDict): readonly string[] {
  const dense = [...net.descendants()].map(([, block]) => block).filter((block) => block instanceof Dense);
  const own = new Set(dense.at(-1)?.collectParams().values());
  return [...parameters].filter(([, parameter]) => own.has(parameter)).map(([name]) => name);
}

/** The weight of the first convolution. */
function firstConvolution(net: Block): Parameter | undefined {
  for (const [, block] of net.descendants()) if (block instanceof Conv2D) return block.weight;
  return undefined;
}

function noMatch({ file, tensors }: WeightsFile): never {
  return refuse(
    file,
    `expected tensors with the names of the net, or torchvision's, timm's or Hugging Face's for them, found ${shorten([...tensors.keys()]) || 'none'}.`,
  );
}

function reportOf(
  { file, format, tensors }: WeightsFile,
  match: NameMatch,
  parameters: ParameterDict,
  kept: readonly string[],
): WeightsReport {
  const mapped = new Map([...match.found].filter(([name]) => !kept.includes(name)));
  const used = new Set(match.found.values());
  return {
    file,
    format,
    names: match.names,
    prefix: match.prefix,
    mapped,
    kept,
    adapted: null,
    missing: [...parameters.keys()].filter((name) => !mapped.has(name) && !kept.includes(name)),
    leftOver: [...tensors.keys()].filter((name) => !used.has(name) && !/(^|\.)num_batches_tracked$/.test(name)),
  };
}

function checkComplete(
  { file, names, missing, leftOver }: WeightsReport,
  count: number,
  options: LoadWeightsOptions,
): void {
  if (missing.length > 0 && !options.allowMissing)
    refuse(
      file,
      `expected the net's ${count} tensors under ${names}'s names, found ${missing.length} of them missing: ${shorten(missing)}. { allowMissing: true } leaves those as they are.`,
      {
        tensor: missing[0],
        missing,
      },
    );
  if (leftOver.length > 0 && !options.ignoreExtra)
    refuse(
      file,
      `expected the net's ${count} tensors under ${names}'s names, found ${leftOver.length} that it does not have: ${shorten(leftOver)}. { ignoreExtra: true } passes over those.`,
      {
        tensor: leftOver[0],
        extra: leftOver,
      },
    );
}

/** The shape that the parameter gets from a tensor, and whether its channels are adapted. Throws CheckpointError. */
function checkTensor(
  file: string,
  name: string,
  parameter: Parameter,
  { dtype, shape }: StoredTensor,
  options: LoadWeightsOptions,
  isFirst: boolean,
  isHead: boolean,
): { shape: readonly number[]; isAdapted: boolean } {
  if (!floatTypes.includes(dtype))
    refuse(file, `tensor '${name}': expected dtype ${floatTypes.join(', ')}, found ${dtype}.`, {
      tensor: name,
      expected: floatTypes,
      found: dtype,
    });
  // timm's head is a 1x1 convolution: [classes, channels, 1, 1]
  const given =
    isHead && parameter.shape.length === 2 && shape.slice(2).every((d) => d === 1) ? shape.slice(0, 2) : shape;
  if (fitsShape(parameter.shape, given)) return { shape: given, isAdapted: false };
  const differsInChannels = isFirst && given.length === 4 && fitsShape(parameter.shape.toSpliced(1, 1, 0), given);
  if (differsInChannels && options.inChannels) {
    const channels = parameter.shape[1] as number;
    if (options.inChannels === 'sum' && channels !== 1)
      refuse(
        file,
        `tensor '${name}' of ${given[1]} channels: expected a net of 1 input channel for { inChannels: 'sum' }, found ${channels}. { inChannels: 'repeat' } takes any number.`,
        { tensor: name },
      );
    return { shape: parameter.shape, isAdapted: true };
  }
  const remedy = differsInChannels
    ? " { inChannels: 'sum' } or { inChannels: 'repeat' } adapts the first convolution to the net's channels."
    : isHead
      ? " { head: 'replace' } keeps the net's own head for other classes."
      : '';
  throw new CheckpointError(
    `${file}: tensor '${name}': expected shape [${parameter.shape.join(', ')}], found [${shape.join(', ')}].${remedy}`,
    {
      file,
      tensor: name,
      expected: parameter.shape,
      found: shape,
    },
  );
}
