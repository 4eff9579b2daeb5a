// Times of ops as a table: their work, their kinds, what they have in common.
import type { OpTime } from '../../lib/index.js';

export const groups = [
  'convolution forward',
  'convolution data',
  'convolution weights',
  'BatchNorm',
  'pooling',
  'elementwise',
  'sgd',
  'changes of layout',
  'rest',
] as const;
export type Group = (typeof groups)[number];

const kinds: readonly (readonly [RegExp, Group])[] = [
  [/^conv2d(Fused)?$/, 'convolution forward'],
  [/^conv2dBackwardData/, 'convolution data'],
  [/^conv2dBackwardWeights/, 'convolution weights'],
  [/^(batchNorm|foldBatchNorm)/, 'BatchNorm'],
  [/^(max|avg)Pool2d/, 'pooling'],
  [/^(relu|reluBackward|addRelu|add|sub|mul|div|equal|cast|dropout|dropoutBackward)$/, 'elementwise'],
  [/^sgd$/, 'sgd'],
  [/^copy$/, 'changes of layout'], // of parameters; those within an op are counted apart from it
];

export const groupOf = (op: string): Group => kinds.find(([pattern]) => pattern.test(op))?.[1] ?? 'rest';

/** GFLOP of one run: two for each multiplication with its addition; 0 for what is bound by memory. */
export function gflopOf({ op, inputs, outputs }: Pick<OpTime, 'op' | 'inputs' | 'outputs'>): number {
  const shape = (of: OpTime['inputs'], i: number): number[] => of[i]?.shape ?? [];
  const count = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);
  /** y [n, co, oh, ow] and w [co, ci / groups, kh, kw]: each output element is a product of ci / groups * kh * kw. */
  const convolution = (y: number[], w: number[]): number => (2 * count(y) * count(w.slice(1))) / 1e9;
  const [first, second, output] = [shape(inputs, 0), shape(inputs, 1), shape(outputs, 0)];
  if (/^conv2d(Fused)?$/.test(op)) return convolution(output, second); // x, w -> y
  if (op.startsWith('conv2dBackwardData')) return convolution(first, second); // dy, w -> dx
  if (op.startsWith('conv2dBackwardWeights')) return convolution(second, output); // x, dy -> dw
  if (op === 'dense') return (2 * count(output) * (first[1] ?? 0)) / 1e9; // x [n, in], w -> y [n, out]
  if (op === 'denseBackwardData') return (2 * count(first) * (second[1] ?? 0)) / 1e9; // dy [n, out], w [out, in]
  if (op === 'denseBackwardWeights') return (2 * count(first) * (second[1] ?? 0)) / 1e9; // x [n, in], dy [n, out]
  return 0;
}

/** "bfloat16 [256, 64, 24, 24], float32 [64, 64, 3, 3]": the first inputs, of those an op has many. */
export function shapesOf({ inputs }: Pick<OpTime, 'inputs'>): string {
  const shown = inputs.slice(0, 2).map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
  return inputs.length > 2 ? `${shown.join(', ')}, ...` : shown.join(', ');
}

export interface ProfileRow {
  op: string;
  shapes: string;
  algorithm: string;
  /** How many ops of a step are like this. */
  count: number;
  /** Of all of them, with their changes of layout. */
  milliseconds: number;
  reorderMilliseconds: number;
  gflop: number;
  /** Whether the multiplications are of bfloat16 numbers. */
  bfloat16: boolean;
}

/** Ops that are alike (name, shapes, algorithm) as one row, averaged over `steps` steps; the longest first. */
export function rowsOf(times: readonly OpTime[], steps: number): ProfileRow[] {
  const rows = new Map<string, ProfileRow>();
  for (const time of times) {
    const [shapes, outputs] = [shapesOf(time), shapesOf({ inputs: time.outputs })];
    const key = [time.op, shapes, outputs, time.algorithm].join('|');
    const row = rows.get(key) ?? {
      op: time.op,
      shapes,
      algorithm: time.algorithm,
      count: 0,
      milliseconds: 0,
      reorderMilliseconds: 0,
      gflop: 0,
      bfloat16: time.inputs[0]?.dtype === 'bfloat16',
    };
    rows.set(key, {
      ...row,
      count: row.count + 1 / steps,
      milliseconds: row.milliseconds + time.milliseconds / steps,
      reorderMilliseconds: row.reorderMilliseconds + time.reorderMilliseconds / steps,
      gflop: row.gflop + gflopOf(time) / steps,
    });
  }
  return [...rows.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Milliseconds and GFLOP of each group; changes of layout within ops are a group of their own. */
export function groupSums(rows: readonly ProfileRow[]): { group: Group; milliseconds: number; gflop: number }[] {
  return groups.map((group) => {
    const own = rows.filter(({ op }) => groupOf(op) === group);
    const inner = group === 'changes of layout' ? rows : [];
    const outside = group === 'changes of layout' ? [] : own;
    const milliseconds =
      own.reduce((sum, row) => sum + row.milliseconds - row.reorderMilliseconds, 0) +
      inner.reduce((sum, row) => sum + row.reorderMilliseconds, 0);
    return { group, milliseconds, gflop: outside.reduce((sum, row) => sum + row.gflop, 0) };
  });
}
