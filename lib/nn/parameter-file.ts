// Saves and loads the parameters of a net as a safetensors file.
import { CheckpointError } from '../errors.js';
import { type HostTensor, type SafetensorsFile, usingSafetensors, writeSafetensors } from '../interop/safetensors.js';
import type { TensorEntry } from '../interop/safetensors-header.js';
import { checkBoolean, checkOptions } from '../options.js';
import type { ParameterDict } from './parameter-dict.js';
import { fitsShape } from './parameter-options.js';

export interface LoadOptions {
  /** Leave parameters that the file does not have as they are. Default false: an error. */
  allowMissing?: boolean;
  /** Pass over tensors that the net does not have. Default false: an error. */
  ignoreExtra?: boolean;
}

/** Writes the values as they are now: all copies to the host are asked for before anything else can run. */
export async function saveParameters(
  parameters: ParameterDict,
  file: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const reading = [...parameters].map(async ([name, parameter]): Promise<[string, HostTensor]> => {
    const tensor = parameter.data();
    return [name, { shape: tensor.shape, values: await tensor.data() }];
  });
  await writeSafetensors(file, new Map(await Promise.all(reading)), metadata);
}

/** Checks everything, then sets all values. */
export async function loadParameters(parameters: ParameterDict, file: string, options: LoadOptions): Promise<void> {
  checkOptions('loadParameters()', options, ['allowMissing', 'ignoreExtra']);
  const { allowMissing = false, ignoreExtra = false } = options;
  checkBoolean('loadParameters()', 'allowMissing', allowMissing);
  checkBoolean('loadParameters()', 'ignoreExtra', ignoreExtra);
  const loaded = await usingSafetensors(file, async (source) => {
    checkNames(parameters, source, allowMissing, ignoreExtra);
    const present = [...parameters].filter(([name]) => source.tensors.has(name));
    for (const [name, { shape }] of present) checkShape(source, name, shape);
    return Promise.all(
      present.map(async ([name, parameter]) => {
        const { shape } = source.tensors.get(name) as TensorEntry;
        return { parameter, shape, values: await source.readFloats(name) };
      }),
    );
  });
  for (const { parameter, shape, values } of loaded) parameter.setHostData(values, shape);
}

function checkShape({ file, tensors }: SafetensorsFile, name: string, expected: readonly number[]): void {
  const { shape } = tensors.get(name) as TensorEntry;
  if (!fitsShape(expected, shape))
    throw new CheckpointError(
      `${file}: tensor '${name}': expected shape [${expected.join(', ')}], found [${shape.join(', ')}].`,
      { file, tensor: name, expected, found: shape },
    );
}

function checkNames(
  parameters: ParameterDict,
  source: SafetensorsFile,
  allowMissing: boolean,
  ignoreExtra: boolean,
): void {
  const { file } = source;
  const missing = [...parameters.keys()].filter((name) => !source.tensors.has(name));
  if (missing.length > 0 && !allowMissing) {
    throw new CheckpointError(
      `${file}: expected the net's ${parameters.size} tensors, found ${missing.length} of them missing: ${shorten(missing)}. { allowMissing: true } leaves those as they are.`,
      { file, tensor: missing[0], missing },
    );
  }
  const extra = [...source.tensors.keys()].filter((name) => !parameters.has(name));
  if (extra.length > 0 && !ignoreExtra) {
    throw new CheckpointError(
      `${file}: expected the net's ${parameters.size} tensors, found ${extra.length} that it does not have: ${shorten(extra)}. { ignoreExtra: true } passes over those.`,
      { file, tensor: extra[0], extra },
    );
  }
}

/** The first few names. */
export function shorten(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `'${name}'`);
  return names.length > 3 ? `${shown.join(', ')} and ${names.length - 3} more` : shown.join(', ');
}
