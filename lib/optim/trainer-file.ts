// Saves and loads a trainer's state: momentum tensors 'momentum.<parameter>', the number of updates and the loss scale, as
// safetensors.
import { CheckpointError } from '../errors.js';
import { type HostTensor, type SafetensorsFile, usingSafetensors, writeSafetensors } from '../interop/safetensors.js';
import type { Parameter } from '../nn/parameter.js';
import { tensor } from '../tensor/create.js';
import { untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

export interface TrainerStates {
  numUpdate: number;
  /** By parameter name; a parameter that was never updated has none. */
  momenta: Map<string, Tensor>;
  /** Null in files that do not tell it. */
  lossScale: { scale: number; goodSteps: number } | null;
}

const prefix = 'momentum.';
const format = 'residua-trainer';

/** Writes the state as it is now: all copies to the host are asked for before anything else can run. */
export async function saveTrainerStates(file: string, states: TrainerStates): Promise<void> {
  const { numUpdate, momenta, lossScale } = states;
  const reading = [...momenta].map(async ([name, momentum]): Promise<[string, HostTensor]> => {
    return [prefix + name, { shape: momentum.shape, values: await momentum.data() }];
  });
  const numbers = { numUpdate, lossScale: lossScale?.scale ?? '', goodSteps: lossScale?.goodSteps ?? '' };
  const texts = Object.entries(numbers).map(([name, value]) => [name, String(value)]);
  await writeSafetensors(file, new Map(await Promise.all(reading)), { format, ...Object.fromEntries(texts) });
}

/** Reads and checks a state. Every momentum must belong to one of the parameters and have its shape. */
export function loadTrainerStates(
  file: string,
  parameters: ReadonlyMap<string, Parameter>,
  hasMomentum: boolean,
): Promise<TrainerStates> {
  return usingSafetensors(file, (source) => statesIn(source, parameters, hasMomentum));
}

async function statesIn(
  source: SafetensorsFile,
  parameters: ReadonlyMap<string, Parameter>,
  hasMomentum: boolean,
): Promise<TrainerStates> {
  const { file } = source;
  const numUpdate = updatesIn(source);
  if (!hasMomentum && source.tensors.size > 0) {
    throw new CheckpointError(
      `${file}: expected the state of a trainer without momentum, found ${source.tensors.size} momentum tensors.`,
      { file, expected: 0, found: source.tensors.size },
    );
  }
  const loaded = [...source.tensors].map(([key, { shape }]) => {
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
    const parameter = parameters.get(name);
    if (!parameter)
      throw new CheckpointError(
        `${file}: expected momentum of the trainer's ${parameters.size} parameters, found tensor '${key}'.`,
        { file, tensor: key },
      );
    if (parameter.shape.join() !== shape.join()) {
      throw new CheckpointError(
        `${file}: tensor '${key}': expected shape [${parameter.shape.join(', ')}], found [${shape.join(', ')}].`,
        { file, tensor: key, expected: parameter.shape, found: shape },
      );
    }
    return { key, name, shape, device: parameter.data().device };
  });
  const values = await Promise.all(loaded.map(({ key }) => source.readFloats(key)));
  const momenta = untracked(
    () =>
      new Map(loaded.map(({ name, shape, device }, i) => [name, tensor(values[i] as Float32Array, { shape, device })])),
  );
  return { numUpdate, momenta, lossScale: lossScaleIn(source) };
}

function lossScaleIn({ metadata }: SafetensorsFile): TrainerStates['lossScale'] {
  const [scale, goodSteps] = [Number(metadata.get('lossScale')), Number(metadata.get('goodSteps'))];
  return scale >= 1 && Number.isFinite(scale) && goodSteps >= 0 ? { scale, goodSteps } : null;
}

function updatesIn(source: SafetensorsFile): number {
  const { file, metadata } = source;
  if (metadata.get('format') !== format)
    throw new CheckpointError(
      `${file}: expected a trainer's state, written by saveStates(), found ${metadata.get('format') ?? 'another file'}.`,
      { file, expected: format, found: metadata.get('format') },
    );
  const text = metadata.get('numUpdate');
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw new CheckpointError(`${file}: expected numUpdate to be a number of updates, found '${text}'.`, {
      file,
      found: text,
    });
  return Number(text);
}
