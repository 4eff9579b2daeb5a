// Writes a net's weights as safetensors, under our names or torchvision's.
import { ConfigError } from '../errors.js';
import type { Block, Parameter } from '../nn/index.js';
import { ParameterDict } from '../nn/parameter-dict.js';
import { saveParameters } from '../nn/parameter-file.js';
import { checkChoice, checkOptions } from '../options.js';
import { nameIn } from './weight-names.js';

export interface SaveWeightsOptions {
  /** 'torchvision': what `load_state_dict` takes in PyTorch, with safetensors.torch.load_file. Default 'residua'. */
  names?: 'residua' | 'torchvision';
}

/**
 * Writes all parameters to a safetensors file, as float32, as they are at the time of the call. The file appears whole or
 * not at all. Throws CheckpointError, and ConfigError where a parameter has no values yet or two would have one name.
 */
export async function saveWeights(net: Block, file: string, options: SaveWeightsOptions = {}): Promise<void> {
  checkOptions('saveWeights()', options, ['names']);
  const names = checkChoice('saveWeights()', 'names', options.names ?? 'residua', ['residua', 'torchvision']);
  const renamed = new ParameterDict();
  for (const [ours, parameter] of net.collectParams()) {
    const name = nameIn(names, ours) as string;
    if (renamed.has(name)) throw clash(name, renamed.get(name) as Parameter, parameter);
    renamed.set(name, parameter);
  }
  // transformers and others ask for the framework that the names are of
  await saveParameters(renamed, file, names === 'torchvision' ? { format: 'pt' } : {});
}

function clash(name: string, one: Parameter, other: Parameter): ConfigError {
  return new ConfigError(
    `saveWeights() expected a torchvision name of its own for each parameter, got '${name}' for ${one.name} and ${other.name}.`,
    { argument: 'names' },
  );
}
