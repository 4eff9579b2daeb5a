// Parameter values that scripts/fixtures/resnet_family.py computes as well, so that weights need not be stored.
import type { nn } from '../../lib/index.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

/** FNV-1a of an ASCII text, 32 bits. */
export function nameSeed(name: string): number {
  let seed = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) seed = Math.imul(seed ^ name.charCodeAt(i), 0x01000193);
  return seed >>> 0;
}

/** [scale, offset] of what is no weight. */
const others: Record<string, readonly [number, number]> = {
  gamma: [0.05, 0.25],
  beta: [0.1, 0.5],
  runningVar: [0.5, 1],
};

function distribution(name: string, shape: readonly number[]): readonly [number, number] {
  if (!name.endsWith('.weight')) return others[name.slice(name.lastIndexOf('.') + 1)] ?? [0.1, 0];
  return [Math.sqrt((name === 'fc.weight' ? 12 : 3) / sizeOf(shape.slice(1))), 0];
}

/** A tile of hashed values, repeated. */
export function familyValues(name: string, shape: readonly number[], tile: number): Float32Array {
  const size = sizeOf(shape);
  const [scale, offset] = distribution(name, shape);
  const first = uniformValues(Math.min(size, tile), nameSeed(name), scale, offset);
  if (first.length === size) return first;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i += tile) values.set(first.subarray(0, size - i), i);
  return values;
}

/** Gives every parameter of the net its values. */
export function setFamilyValues(net: nn.Block, tile: number): void {
  for (const [name, parameter] of net.collectParams()) parameter.setData(familyValues(name, parameter.shape, tile));
}
