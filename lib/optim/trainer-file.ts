// Saves and loads a trainer's state: the optimiser's tensors, 'momentum.<parameter>', the number of updates and the loss scale, as
// safetensors.
import { CheckpointError } from '../errors.js';
import { type HostTensor, type SafetensorsFile, usingSafetensors, writeSafetensors } from '../interop/safetensors.js';
import type { Parameter } from '../nn/parameter.js';
import { tensor } from '../tensor/create.js';
import { untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Optimizer } from './optimizer.js';

export interface TrainerStates<Tensors = ReadonlyMap<string, Tensor>> {
  numUpdate: number;
  /** By state and parameter, 'momentum.9.weight'; a parameter that was never updated has none. */
  tensors: Tensors;
  /** Of each parameter that has states; null for optimisers that do not count. */
  updateCounts: ReadonlyMap<string, number> | null;
  /** Null in files that do not tell it. */
  lossScale: { scale: number; goodSteps: number } | null;
}

const format = 'residua-trainer';

/** Writes the state as it is now: all copies to the host are asked for before anything else can run. */
export async function saveTrainerStates(
  file: string,
  { name: optimizer }: Pick<Optimizer, 'name'>,
  { numUpdate, tensors, updateCounts, lossScale }: TrainerStates,
): Promise<void> {
  const reading = [...tensors].map(async ([key, state]): Promise<[string, HostTensor]> => {
    return [key, { shape: state.shape, values: await state.data() }];
  });
  const numbers = { numUpdate, lossScale: lossScale?.scale ?? '', goodSteps: lossScale?.goodSteps ?? '' };
  const texts = Object.entries(numbers).map(([name, value]) => [name, String(value)]);
  const counts = updateCounts ? { updateCounts: JSON.stringify(Object.fromEntries(updateCounts)) } : {};
  const metadata = { format, optimizer, ...Object.fromEntries(texts), ...counts };
  await writeSafetensors(file, new Map(await Promise.all(reading)), metadata);
}

/** Reads and checks a state. Every tensor must belong to one of the parameters and have its shape. */
export function loadTrainerStates(
  file: string,
  parameters: ReadonlyMap<string, Parameter>,
  optimizer: Optimizer,
): Promise<TrainerStates<Map<string, Tensor>>> {
  return usingSafetensors(file, (source) => statesIn(source, parameters, optimizer));
}

async function statesIn(
  source: SafetensorsFile,
  parameters: ReadonlyMap<string, Parameter>,
  optimizer: Optimizer,
): Promise<TrainerStates<Map<string, Tensor>>> {
  const { file } = source;
  const numUpdate = updatesIn(source);
  const written = source.metadata.get('optimizer') ?? 'sgd'; // files of earlier versions do not tell
  if (written !== optimizer.name)
    throw new CheckpointError(
      `${file}: expected the state of a trainer with the optimizer '${optimizer.name}', found that of '${written}'.`,
      { file, expected: optimizer.name, found: written },
    );
  const states = optimizer.states.names;
  if (states.length === 0 && source.tensors.size > 0) {
    throw new CheckpointError(
      `${file}: expected the state of a trainer without momentum, found ${source.tensors.size} momentum tensors.`,
      { file, expected: 0, found: source.tensors.size },
    );
  }
  const loaded = [...source.tensors].map(([key, { shape }]) => {
    const parameter = parameterOf(key, states, parameters);
    if (!parameter)
      throw new CheckpointError(
        `${file}: expected ${states.join(' and ')} of the trainer's ${parameters.size} parameters, found tensor '${key}'.`,
        { file, tensor: key },
      );
    if (parameter.shape.join() !== shape.join()) {
      throw new CheckpointError(
        `${file}: tensor '${key}': expected shape [${parameter.shape.join(', ')}], found [${shape.join(', ')}].`,
        { file, tensor: key, expected: parameter.shape, found: shape },
      );
    }
    return { key, shape, device: parameter.data().device };
  });
  const updateCounts = optimizer.updateCounts && countsIn(source, states);
  const values = await Promise.all(loaded.map(({ key }) => source.readFloats(key)));
  const tensors = untracked(
    () =>
      new Map(loaded.map(({ key, shape, device }, i) => [key, tensor(values[i] as Float32Array, { shape, device })])),
  );
  return { numUpdate, tensors, updateCounts, lossScale: lossScaleIn(source) };
}

/** Of a tensor 'momentum.9.weight' the parameter '9.weight'. */
function parameterOf(
  key: string,
  states: readonly string[],
  parameters: ReadonlyMap<string, Parameter>,
): Parameter | undefined {
  const state = states.find((name) => key.startsWith(`${name}.`));
  return state === undefined ? undefined : parameters.get(key.slice(state.length + 1));
}

/** How often each parameter was updated that has states: it must have all of them, and have been updated. */
function countsIn({ file, metadata, tensors }: SafetensorsFile, states: readonly string[]): Map<string, number> {
  const text = metadata.get('updateCounts') ?? '';
  const names = new Set([...tensors.keys()].map((key) => key.slice(key.indexOf('.') + 1)));
  const counts = countsFrom(text);
  const isWhole = (name: string): boolean =>
    (counts.get(name) ?? 0) > 0 && states.every((state) => tensors.has(`${state}.${name}`));
  const missing = [...names].find((name) => !isWhole(name));
  if (missing !== undefined)
    throw new CheckpointError(
      `${file}: expected ${states.join(', ')} and the number of updates of parameter '${missing}', found only some of them.`,
      { file, parameter: missing, found: text },
    );
  return new Map([...names].map((name) => [name, counts.get(name) as number]));
}

/** Empty where the text is not what `saveTrainerStates` writes. */
function countsFrom(text: string): Map<string, number> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1])));
  } catch {
    return new Map();
  }
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
