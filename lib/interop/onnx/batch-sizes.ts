// Which sizes of a net's values follow the batch: found by comparing what was recorded for two batches.
import { ConfigError } from '../../errors.js';
import type { Program } from '../../graph/program.js';
import type { OpAttributes } from '../../native.js';
import type { RecordedNet } from './recorded-net.js';

/** A size that is so many times the batch. */
export class TimesBatch {
  readonly factor: number;
  constructor(factor: number) {
    this.factor = factor;
  }
}

export type Size = number | TimesBatch;

/** The two batches that are recorded: neither is 1, which is broadcast, and no other size grows with them by chance. */
export const comparedBatches = [2, 3] as const;

/**
 * Sizes of all values of a program, by value, for any batch. `other` needs no values of parameters. Throws ConfigError where the net
 * does something else for another batch.
 */
export function sizesForAnyBatch(net: RecordedNet, other: RecordedNet): Size[][] {
  checkSameProgram(net, other);
  return net.program.values.map(({ shape }, value) => {
    const otherShape = other.program.values[value]?.shape as readonly number[];
    return shape.map((size, axis) => sizeFrom(size, otherShape[axis] as number));
  });
}

function sizeFrom(size: number, other: number): Size {
  if (size === other) return size;
  const [batch, otherBatch] = comparedBatches;
  if (size % batch === 0 && (size / batch) * otherBatch === other) return new TimesBatch(size / batch);
  throw dependsOnBatch(`a size that is ${size} for a batch of ${batch} and ${other} for one of ${otherBatch}`);
}

function checkSameProgram(net: RecordedNet, other: RecordedNet): void {
  const [nodes, otherNodes] = [net.program.nodes, other.program.nodes];
  const isSame =
    nodes.length === otherNodes.length &&
    net.input === other.input &&
    net.output === other.output &&
    [...net.parameters].join() === [...other.parameters].join() &&
    nodes.every((node, i) => {
      const { op, attributes, inputs, outputs } = otherNodes[i] as Program['nodes'][number];
      return (
        node.op === op &&
        textOf(node.op, node.attributes) === textOf(op, attributes) &&
        node.inputs.join() === inputs.join() &&
        node.outputs.join() === outputs.join()
      );
    });
  if (!isSame) throw dependsOnBatch('other ops for another batch');
  for (const [leaf, found] of other.constants) {
    const values = net.constants.get(leaf);
    if (!values || values.length !== found.length || values.some((value, i) => !Object.is(value, found[i])))
      throw dependsOnBatch('constants that are others for another batch');
  }
}

/** Attributes without the shape of a result, which is compared by itself. */
function textOf(op: string, attributes: OpAttributes): string {
  const followsShape = op === 'reshape' || op === 'broadcastTo';
  return JSON.stringify(followsShape ? { ...attributes, shape: undefined } : attributes);
}

function dependsOnBatch(what: string): ConfigError {
  return new ConfigError(
    `exportOnnx() expected a net that does the same for every batch, got ${what}. { dynamicBatch: false } exports it for one batch.`,
    { argument: 'dynamicBatch' },
  );
}
