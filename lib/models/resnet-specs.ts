// The family's table: which blocks a net has, and how many in each stage.
import { ConfigError } from '../errors.js';
import { checkChoice, checkInteger } from '../options.js';

export interface ResNetSpec {
  block: 'basic' | 'bottleneck';
  /** Blocks in each stage. */
  blocks: readonly number[];
}

/** He et al., "Deep residual learning for image recognition", 2016, table 1. */
export const resNetSpecs = {
  18: { block: 'basic', blocks: [2, 2, 2, 2] },
  34: { block: 'basic', blocks: [3, 4, 6, 3] },
  50: { block: 'bottleneck', blocks: [3, 4, 6, 3] },
  101: { block: 'bottleneck', blocks: [3, 4, 23, 3] },
  152: { block: 'bottleneck', blocks: [3, 8, 36, 3] },
} as const satisfies Record<number, ResNetSpec>;

export type ResNetDepth = keyof typeof resNetSpecs;

/** Nets of the same table that are wider or have groups: Zagoruyko and Komodakis, 2016; Xie et al., 2017, table 1. */
export const resNetVariants = {
  'wide-resnet50-2': { depth: 50, widthPerGroup: 128 },
  'wide-resnet101-2': { depth: 101, widthPerGroup: 128 },
  'resnext50-32x4d': { depth: 50, groups: 32, widthPerGroup: 4 },
  'resnext101-32x8d': { depth: 101, groups: 32, widthPerGroup: 8 },
} as const satisfies Record<string, { depth: ResNetDepth; groups?: number; widthPerGroup?: number }>;

/** The CIFAR nets of both papers by depth: sections 4.2 (2016) and 4 (2016b, "Identity mappings", bottlenecks). */
export const cifarDepths = [20, 32, 44, 56, 110, 164, 1001] as const;

/** The row of a depth. Throws ConfigError for one that the table lacks. */
export function resNetSpec(where: string, depth: number): ResNetSpec {
  const spec = resNetSpecs[depth as ResNetDepth];
  if (spec !== undefined) return spec;
  throw new ConfigError(`${where} expected a depth of ${Object.keys(resNetSpecs).join(', ')}, got ${depth}.`, {
    argument: 'depth',
    found: depth,
  });
}

/** Three equal stages: 6n + 2 layers in basic blocks, or 9n + 2 in bottlenecks. Throws ConfigError where that gives no whole n. */
export function cifarSpec(depth: number, bottleneck: boolean): ResNetSpec {
  const [layers, block] = bottleneck ? ([9, 'bottleneck'] as const) : ([6, 'basic'] as const);
  const n = (depth - 2) / layers;
  if (Number.isSafeInteger(n) && n >= 1) return { block, blocks: [n, n, n] };
  throw new ConfigError(
    `cifarResNet expected a depth of 6n + 2 (basic blocks: 20, 32, 44, 56, 110) or 9n + 2 (bottlenecks: 164, 1001), ` +
      `got ${depth}${bottleneck ? ' with bottlenecks' : ''}.`,
    { argument: 'depth', found: depth },
  );
}

/** A row that is given: one to four stages of at least one block. Throws ConfigError. */
export function checkSpec(where: string, block: unknown, blocks: unknown): ResNetSpec {
  if (!Array.isArray(blocks) || blocks.length < 1 || blocks.length > 4)
    throw new ConfigError(
      `${where} expected blocks to be a list of 1 to 4 numbers, one a stage, such as [1, 2, 2], got ${JSON.stringify(blocks)}.`,
      { argument: 'blocks', found: blocks },
    );
  return {
    block: checkChoice(where, 'block', block, ['basic', 'bottleneck']),
    blocks: blocks.map((count, i) => checkInteger(where, `blocks[${i}]`, count, 1)),
  };
}
