// Ops of networks in the form that plan_graphs reads (native/cuda/planning/graph_list.h), each once.
import { type BatchNormLayer, type ConvLayer, type Layer, type Network, networks } from './networks.js';

export type PlanDType = 'float32' | 'bfloat16' | 'float16';

/** All that a training step does with a layer. */
function opsOfLayer(layer: Layer, batch: number, dtype: PlanDType): string[] {
  const image = [batch, ...layer.input].join(' ');
  if (layer.kind === 'batchNorm') {
    return ['forward', 'backward'].map((pass) => `batch_norm ${pass} ${dtype} ${layer.tail} ${image}`);
  }
  if (layer.kind === 'maxPool2d') {
    const { pool, stride, padding } = layer;
    const window = `${pool} ${pool} ${stride} ${stride} ${padding} ${padding}`;
    return ['forward', 'backward'].map((pass) => `pool2d ${pass} ${dtype} max ${image} ${window}`);
  }
  const rest = windowOf(layer, batch);
  return [
    `conv2d forward ${dtype} ${layer.bias ? 'float32' : 'none'} ${rest}`,
    ...(layer.inputGradient ? [`conv2d backward_data ${dtype} none ${rest}`] : []),
    `conv2d backward_weights ${dtype} none ${rest}`,
  ];
}

function windowOf({ input, channels, kernel, stride, padding }: ConvLayer, batch: number): string {
  const image = [batch, ...input].join(' ');
  return `${image} ${channels} ${kernel} ${kernel} ${stride} ${stride} ${padding} ${padding} 1 1 1`;
}

const fusedWith = { none: 'fused', relu: 'fused_relu', add_relu: 'fused_add_relu' };

/** What a captured inference step does with a convolution and the BatchNorm after it, the last where there are several. */
function inferenceOpsOf(layers: readonly Layer[], at: number, batch: number, dtype: PlanDType): string[] {
  const conv = layers[at];
  if (conv?.kind !== 'conv2d') return [];
  let tail: BatchNormLayer['tail'] | undefined;
  for (const layer of layers.slice(at + 1)) {
    if (layer.kind !== 'batchNorm') break;
    tail = layer.tail;
  }
  return tail ? [`conv2d ${fusedWith[tail]} ${dtype} float32 ${windowOf(conv, batch)}`] : [];
}

export function opsOf(nets: readonly Network[], batches: readonly number[], dtypes: readonly PlanDType[]): string[] {
  const ops = nets.flatMap(({ layers }) =>
    dtypes.flatMap((dtype) =>
      batches.flatMap((batch) =>
        layers.flatMap((layer, at) => [
          ...opsOfLayer(layer, batch, dtype),
          ...inferenceOpsOf(layers, at, batch, dtype),
        ]),
      ),
    ),
  );
  return [...new Set(ops)];
}

/** Every network at batch 1, 32 and 256 in float32 and bfloat16. */
export function allOps(): string[] {
  return opsOf(networks, [1, 32, 256], ['float32', 'bfloat16']);
}

/**
 * One op of each kind: all of the chapter's and ResNet-50's layers, cut down to those that differ in more than their
 * size. Batch 32, and float16 as well.
 */
export function representativeOps(): string[] {
  const byKind = new Map<string, string>();
  for (const op of opsOf([networks[0]!, networks[2]!], [32], ['float32', 'bfloat16', 'float16'])) {
    const kind = kindOf(op);
    if (!byKind.has(kind)) byKind.set(kind, op);
  }
  return [...byKind.values()];
}

/** The op without the sizes of its image; of the channels whether there are fewer than eight. */
function kindOf(op: string): string {
  const [name, pass, dtype, variant, , channels, , , ...rest] = op.split(' ');
  const window = name === 'conv2d' ? rest.slice(1) : rest;
  return [name, pass, dtype, variant, Number(channels) < 8 ? channels : 'many', ...window].join(' ');
}
