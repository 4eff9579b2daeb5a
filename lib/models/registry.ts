// Nets by name, for the command line and for files that name their net.
import { ConfigError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { Block } from '../nn/index.js';
import { checkOptions } from '../options.js';
import { chapterResNet18 } from './chapter.js';
import { type CustomResNetOptions, cifarResNet, customResNet, resNetVariant, resnet } from './family.js';
import { over, type ResNetOptions } from './resnet-options.js';
import { cifarDepths, type ResNetDepth, resNetSpecs, resNetVariants } from './resnet-specs.js';

/** Options of any net by name; `block` and `blocks` are those of 'resnet' alone. */
export type ModelOptions = CustomResNetOptions;

type Builder = (options: ModelOptions) => Block;

const builders: ReadonlyMap<string, Builder> = new Map([
  ['chapter-resnet18', chapter],
  ...(Object.keys(resNetSpecs).map(Number) as ResNetDepth[]).flatMap((depth) => [
    [`resnet${depth}`, (options: ResNetOptions) => resnet(depth, options)] as const,
    [`resnet${depth}-v1`, (options: ResNetOptions) => resnet(depth, over({ version: 'v1' }, options))] as const,
    [`resnet${depth}-v2`, (options: ResNetOptions) => resnet(depth, over({ version: 'v2' }, options))] as const,
  ]),
  ...(Object.keys(resNetVariants) as (keyof typeof resNetVariants)[]).map(
    (name) => [name, (options: ResNetOptions) => resNetVariant(name, options)] as const,
  ),
  ...cifarDepths.flatMap((depth) => [
    [`cifar-resnet${depth}`, (options: ResNetOptions) => cifarResNet(depth, options)] as const,
    [
      `cifar-resnet${depth}-v2`,
      (options: ResNetOptions) => cifarResNet(depth, over({ version: 'v2' }, options)),
    ] as const,
  ]),
  ['resnet', customResNet],
]);

/** The names that `byName` knows. */
export const modelNames: readonly string[] = [...builders.keys()];

/**
 * A net by its name: 'resnet50', 'resnet50-v1', 'wide-resnet50-2', 'cifar-resnet20', 'chapter-resnet18', ... (`modelNames` has all),
 * with the options of the family over what the name says; 'chapter-resnet18' has `classes` alone, 'resnet' needs `blocks`. Not initialised.
 * Throws ConfigError for unknown names, with the nearest known one, and for options that do not fit.
 */
export function byName(name: string, options: ModelOptions = {}): Block {
  const build = builders.get(checkModelName(name)) as Builder;
  return build(options);
}

/** The name, where `byName` knows it. Throws ConfigError, with the nearest name. */
export function checkModelName(name: unknown): string {
  if (typeof name === 'string' && builders.has(name)) return name;
  const nearest = nearestName(String(name), modelNames);
  throw new ConfigError(
    `There is no model named ${JSON.stringify(name)}. Did you mean '${nearest}'? There are ${modelNames.join(', ')}.`,
    { argument: 'name', found: name, nearest },
  );
}

function chapter(options: ResNetOptions): Block {
  checkOptions('chapter-resnet18', options, ['classes']);
  return chapterResNet18(options);
}
