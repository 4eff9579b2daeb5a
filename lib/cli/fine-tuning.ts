// The options of `residua train` that begin from given weights and keep parts of the net as they are.
import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors.js';
import { loadWeights, type WeightsReport } from '../interop/index.js';
import { type Block, freezeStatistics, type ParameterDict } from '../nn/index.js';
import { choiceOption } from './options.js';

/** A multiplier for the parameters whose structural name matches. */
interface Multiplier {
  pattern: RegExp;
  factor: number;
}

export interface FineTuningOptions {
  weights?: string;
  replaceHead?: boolean;
  inChannels?: 'sum' | 'repeat';
  freeze?: RegExp;
  freezeStatistics?: RegExp | true;
  lrMult?: Multiplier[];
  wdMult?: Multiplier[];
}

export function addFineTuningOptions(command: Command): Command {
  return command
    .option('--weights <file>', 'begin from these weights: safetensors or PyTorch (.pth), names are recognised')
    .option('--replace-head', 'with --weights: keep the new last layer, for other classes than the file has')
    .addOption(
      choiceOption(
        '--in-channels <how>',
        'with --weights: adapt the first convolution to the number of input channels',
        ['sum', 'repeat'],
      ),
    )
    .option('--freeze <pattern>', 'do not train parameters whose name matches this regular expression', pattern)
    .option('--freeze-statistics [pattern]', 'keep the statistics of BatchNorm layers (default: of all)', pattern)
    .option(
      '--lr-mult <pattern=factor>',
      "learning rate of matching parameters, such as '^9=10'; repeatable",
      multiplier,
    )
    .option('--wd-mult <pattern=factor>', 'weight decay of matching parameters; repeatable', multiplier);
}

/** Loads and sets what was asked for. `say` is told what came of it. Throws CheckpointError, and ConfigError where a pattern matches nothing. */
export async function fineTune(net: Block, options: FineTuningOptions, say: (line: string) => void): Promise<void> {
  const { weights, replaceHead, inChannels, freeze, lrMult = [], wdMult = [] } = options;
  if (!weights && (replaceHead || inChannels))
    throw new ConfigError('--replace-head and --in-channels expected --weights <file>, got none.', {
      argument: 'weights',
    });
  if (weights)
    say(describeReport(await loadWeights(net, weights, { head: replaceHead ? 'replace' : undefined, inChannels })));
  if (freeze) {
    const frozen = matching(net, '--freeze', freeze);
    const count = [...frozen.values()].filter(({ trainable }) => trainable).length;
    frozen.freeze();
    say(`Frozen: ${count} parameters.`);
  }
  if (options.freezeStatistics) {
    const select = options.freezeStatistics === true ? undefined : options.freezeStatistics;
    const count = freezeStatistics(net, select);
    if (count === 0) throw noMatch('--freeze-statistics', 'BatchNorm layer', select ?? /(?:)/);
    say(`BatchNorm layers that keep their statistics: ${count}.`);
  }
  for (const { pattern, factor } of lrMult) matching(net, '--lr-mult', pattern).setattr('lrMult', factor);
  for (const { pattern, factor } of wdMult) matching(net, '--wd-mult', pattern).setattr('wdMult', factor);
}

/** What was loaded from where, in one line; names only where there is something to see to. */
export function describeReport({
  file,
  format,
  names,
  prefix,
  mapped,
  kept,
  adapted,
  missing,
  leftOver,
}: WeightsReport): string {
  const parts = [
    `${mapped.size} tensors from ${file} (${format}, ${names}'s names${prefix ? ` after '${prefix}'` : ''})`,
    ...(kept.length > 0 ? [`kept: ${kept.join(', ')}`] : []),
    ...(adapted ? [`adapted to the input channels: ${adapted}`] : []),
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
    ...(leftOver.length > 0 ? [`left over: ${leftOver.join(', ')}`] : []),
  ];
  return `Loaded ${parts.join('; ')}.`;
}

function matching(net: Block, option: string, select: RegExp): ParameterDict {
  const found = net.collectParams(select);
  if (found.size === 0) throw noMatch(option, 'parameter', select);
  return found;
}

function noMatch(option: string, what: string, select: RegExp): ConfigError {
  return new ConfigError(
    `${option} expected a pattern that matches a ${what} of the net, got ${select}. 'residua summary' shows their names.`,
    { argument: option, found: String(select) },
  );
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(`Expected a regular expression: ${(error as Error).message}.`);
  }
}

/** 'fc=10', added to those before it. */
function multiplier(text: string, previous: Multiplier[] = []): Multiplier[] {
  const at = text.lastIndexOf('=');
  const factor = Number(text.slice(at + 1));
  if (at < 1 || text.slice(at + 1).trim() === '' || !Number.isFinite(factor) || factor < 0)
    throw new InvalidArgumentError("Expected a pattern and a factor of at least 0, such as 'fc=10'.");
  return [...previous, { pattern: pattern(text.slice(0, at)), factor }];
}
