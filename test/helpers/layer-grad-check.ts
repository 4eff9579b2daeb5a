// Compares a layer's gradients, of its input and of every parameter, with central differences.
import { expect } from 'vitest';
import { autograd, type nn, ops, type Tensor, tensor, tidy } from '../../lib/index.js';
import { hashed, uniformValues } from './values.js';

const eps = 5e-3;
const maxChecked = 24; // elements of a tensor

interface Checked {
  name: string;
  values: Float32Array;
  gradient: Float32Array;
  set: (values: Float32Array) => void;
}

/** Fails unless the layer's gradients at `x` are those of its differences, within 1 % or 2e-3. Gives the names that it checked. */
export function expectLayerGradients(layer: nn.Block, x: Tensor, { training = true } = {}): string[] {
  x.requiresGrad = true;
  const weighting = autograd.pause(() => uniformValues(layer.forward(x).size, 77), { training });
  const loss = (): number =>
    tidy(() => autograd.pause(() => dot(layer.forward(x).dataSync(), weighting), { training }));
  tidy(() => {
    const y = autograd.record(() => layer.forward(x), { training });
    y.backward(tensor(weighting, { shape: y.shape, device: y.device }));
  });
  const checked = [inputOf(x), ...parametersOf(layer)];
  for (const { name, values, gradient, set } of checked) {
    for (const index of someIndices(values.length)) {
      const slope = differenceAt(index, values, set, loss);
      const found = gradient[index] as number;
      const allowed = 2e-3 + 1e-2 * Math.max(Math.abs(slope), Math.abs(found));
      if (!(Math.abs(found - slope) <= allowed))
        expect.fail(`gradient of ${name} at ${index}: expected ${slope} by differences, got ${found}`);
    }
  }
  return checked.map(({ name }) => name);
}

function inputOf(x: Tensor): Checked {
  const set = (values: Float32Array) => tidy(() => ops.assign(x, tensor(values, { shape: x.shape, device: x.device })));
  return {
    name: 'input',
    values: x.dataSync() as Float32Array,
    gradient: (x.grad as Tensor).dataSync() as Float32Array,
    set,
  };
}

function parametersOf(layer: nn.Block): Checked[] {
  const trained = [...layer.collectParams()].filter(([, parameter]) => parameter.trainable);
  return trained.map(([name, parameter]) => ({
    name,
    values: parameter.data().dataSync() as Float32Array,
    gradient: parameter.grad().dataSync() as Float32Array,
    set: (values) => parameter.setData(values),
  }));
}

function differenceAt(
  index: number,
  values: Float32Array,
  set: (values: Float32Array) => void,
  loss: () => number,
): number {
  const [below, above] = [-eps, eps].map((step) => {
    const moved = values.slice();
    moved[index]! += step;
    set(moved);
    return { at: moved[index] as number, loss: loss() };
  }) as [{ at: number; loss: number }, { at: number; loss: number }];
  set(values);
  return (above.loss - below.loss) / (above.at - below.at);
}

const dot = (a: ArrayLike<number>, b: Float32Array): number =>
  b.reduce((sum, weight, i) => sum + weight * (a[i] as number), 0);

function someIndices(size: number): number[] {
  if (size <= maxChecked) return [...Array(size).keys()];
  return [...hashed(9, maxChecked)].map((hash) => hash % size);
}
