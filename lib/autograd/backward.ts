// Gradients: how they flow back through the tape, from a head to the leaves.
import { ConfigError, ShapeError } from '../errors.js';
import { castGradient } from '../ops/cast.js';
import { run1 } from '../ops/run.js';
import { full } from '../tensor/create.js';
import { tidy, trackBeside, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { lossScaler } from './loss-scale.js';
import { type BackwardStep, dropReference, type Edge, type GradNode, isTraining, release, withMode } from './tape.js';

/** Sends the head's gradient back through the tape; leaves get their `grad`, replacing an older one. */
export function backward(head: Tensor, headGrad: Tensor | undefined, retainGraph: boolean): void {
  const { node } = head;
  if (!node) {
    throw new ConfigError(
      'backward() expected a tensor computed inside autograd.record() from one with requiresGrad, got one without history.',
    );
  }
  if (headGrad && headGrad.shape.join() !== head.shape.join()) {
    throw new ShapeError(
      `backward() expected a head gradient of shape [${head.shape.join(', ')}], got [${headGrad.shape.join(', ')}].`,
      { expected: head.shape, found: headGrad.shape },
    );
  }
  const nodes = nodesBehind(node);
  nodes.forEach(checkUsable);
  const scale = head.dtype === 'float32' && nodes.some(({ isFloat16 }) => isFloat16) ? lossScaler().scale : 1;
  const start = (): Tensor => headGradient(head, headGrad, scale);
  sendBack(nodes, start, retainGraph, (gradients) => gradients.assignLeaves(scale));
}

/**
 * The gradients of the leaves behind a node whose output's gradient is `headGrad`, for the caller to dispose; the tape is released. Saved
 * values are taken as they are. Internal: how a block's backward pass is traced.
 */
export function leafGradients(node: GradNode, headGrad: Tensor): Map<Tensor, Tensor> {
  const start = (): Tensor => headGrad.alias();
  return sendBack(nodesBehind(node), start, false, (gradients) => gradients.takeLeaves());
}

/** Sends what `start` gives back through the nodes, the head's first, and returns what `finish` makes of the leaves' gradients. */
function sendBack<T>(
  nodes: readonly GradNode[],
  start: () => Tensor,
  retainGraph: boolean,
  finish: (gradients: Gradients) => T,
): T {
  for (const each of nodes) each.references += 1;
  const gradients = new Gradients();
  try {
    return untracked(() =>
      withMode({ recording: false, training: isTraining() }, () => {
        gradients.add({ node: nodes[0] as GradNode }, start());
        for (const each of nodes) {
          runNode(each, gradients);
          if (!retainGraph) release(each).forEach(dropReference);
        }
        return finish(gradients);
      }),
    );
  } finally {
    gradients.dispose();
    nodes.forEach(dropReference);
  }
}

/** What the head starts with: the gradient given, or ones, times the loss scale. */
function headGradient(head: Tensor, given: Tensor | undefined, scale: number): Tensor {
  const { shape, dtype, device } = head;
  if (!given) return full(shape, scale, { dtype, device });
  return scale === 1 ? given.alias() : tidy(() => run1('mul', {}, [given, full([], scale, { dtype, device })]));
}

/** The node and all it depends on, latest first. Internal. */
export function nodesBehind(head: GradNode): GradNode[] {
  const found = new Set<GradNode>([head]);
  for (const node of found) for (const edge of node.edges) if (edge && 'node' in edge) found.add(edge.node);
  return [...found].sort((a, b) => b.id - a.id);
}

function checkUsable({ op, step }: GradNode): void {
  if (!step) {
    throw new ConfigError(
      `backward() went through '${op}' a second time, but the first released the tape. Pass { retainGraph: true } to the first.`,
      { op },
    );
  }
  const { saved, versions } = step;
  const changed = saved.findIndex((tensor, i) => tensor !== null && tensor.version !== versions[i]);
  if (changed >= 0) {
    const shape = saved[changed]?.shape ?? [];
    throw new ConfigError(
      `backward() needs a tensor of shape [${shape.join(', ')}] as '${op}' saw it, but it was updated in place since (assign, Trainer.step, running statistics). Call backward() before the update.`,
      { op, shape },
    );
  }
}

function runNode(node: GradNode, gradients: Gradients): void {
  const grad = gradients.take(node);
  if (!grad) return;
  try {
    const { fn, saved } = node.step as BackwardStep;
    const needs = node.edges.map((edge) => edge !== null);
    const inputGrads = tidy(() => fn(grad, saved, needs));
    // A gradient that is passed on as it is, or twice, gets a reference of its own for each place it goes to.
    const seen = new Set<Tensor | null>([grad, ...saved]);
    for (const [i, inputGrad] of inputGrads.entries()) {
      if (!inputGrad) continue;
      const own = seen.has(inputGrad) ? inputGrad.alias() : inputGrad;
      seen.add(inputGrad);
      const edge = node.edges[i];
      if (edge) gradients.add(edge, own);
      else own.dispose();
    }
  } finally {
    grad.dispose();
  }
}

/** Gradients under way, summed where several come to the same place. Owns them. */
class Gradients {
  #ofNodes = new Map<GradNode, Tensor>();
  #ofLeaves = new Map<Tensor, Tensor>();

  add(edge: NonNullable<Edge>, grad: Tensor): void {
    if ('leaf' in edge) this.#ofLeaves.set(edge.leaf, sumOf(this.#ofLeaves.get(edge.leaf), grad));
    else this.#ofNodes.set(edge.node, sumOf(this.#ofNodes.get(edge.node), grad));
  }

  take(node: GradNode): Tensor | undefined {
    const grad = this.#ofNodes.get(node);
    this.#ofNodes.delete(node);
    return grad;
  }

  /** Hands each leaf its gradient and in memory that nothing else uses. */
  assignLeaves(scale: number): void {
    for (const [leaf, grad] of this.#ofLeaves) {
      if (leaf.disposed) continue;
      const own = grad.isShared ? run1('copy', {}, [grad]) : grad.alias();
      own.lossScale = scale;
      leaf.grad?.dispose();
      leaf.grad = own;
      trackBeside(own, leaf);
    }
  }

  /** The leaves' gradients, which are the caller's from here on. */
  takeLeaves(): Map<Tensor, Tensor> {
    const leaves = this.#ofLeaves;
    this.#ofLeaves = new Map();
    return leaves;
  }

  dispose(): void {
    for (const grad of [...this.#ofNodes.values(), ...this.#ofLeaves.values()]) grad.dispose();
  }
}

/** a + b, which are freed. Some ops give a float32 gradient to an input of 16 bits: float32 it stays. */
function sumOf(a: Tensor | undefined, b: Tensor): Tensor {
  if (!a) return b;
  const dtype = a.dtype === b.dtype ? a.dtype : 'float32';
  const sum = tidy(() => run1('add', {}, [castGradient(a, dtype), castGradient(b, dtype)]));
  a.dispose();
  b.dispose();
  return sum;
}
