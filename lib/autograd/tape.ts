// The tape: which op made a tensor while recording, and how gradients flow back through it.
import { ConfigError, ShapeError } from '../errors.js';
import { run1 } from '../ops/run.js';
import { ones } from '../tensor/create.js';
import { tidy, trackBeside, untracked } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Values that an op keeps for its backward pass; null where the gradient that would need them is not wanted. */
export type Saved = readonly (Tensor | null)[];

/** Gradients of an op's inputs from that of its output. `needs[i]` tells whether input i wants one; null: it gets none. */
export type BackwardFn<S extends Saved> = (
  grad: Tensor,
  saved: S,
  needs: readonly boolean[],
) => readonly (Tensor | null)[];

/** Where the gradient of an op's input goes: to the op that made it, or to a tensor with `requiresGrad`. */
type Edge = { node: GradNode } | { leaf: Tensor } | null;

/** How an op's gradient is computed, and from what. */
interface BackwardStep {
  readonly fn: BackwardFn<Saved>;
  readonly saved: Saved;
  /** The versions that the saved tensors had when they were saved: an in-place update since would make the gradient wrong. */
  readonly versions: readonly (number | undefined)[];
}

/** One recorded op, of one output. */
export interface GradNode {
  readonly id: number;
  readonly op: string;
  edges: readonly Edge[];
  /** Null once it is released. */
  step: BackwardStep | null;
  /** Who may still send a gradient here: the live output, later nodes, a backward pass under way. At 0 the saved values go. */
  references: number;
}

interface Mode {
  recording: boolean;
  training: boolean;
}

let mode: Mode = { recording: false, training: false };
let nextId = 0;

/** Whether ops are being recorded for `backward()`. */
export const isRecording = (): boolean => mode.recording;
/** Whether layers behave as in training: batch statistics in BatchNorm, Dropout active. */
export const isTraining = (): boolean => mode.training;

function withMode<T>(next: Mode, fn: () => T): T {
  const previous = mode;
  mode = next;
  try {
    return fn();
  } finally {
    mode = previous;
  }
}

/**
 * Runs `fn` and records its ops for `backward()`. In training mode unless `training` is false.
 * A tidy scope: what `fn` creates and does not return is freed as soon as the backward pass no longer needs it.
 */
export function record<T>(fn: () => T, options: { training?: boolean } = {}): T {
  return withMode({ recording: true, training: options.training ?? true }, () => tidy(fn));
}

/** Runs `fn` without recording, in prediction mode unless `training` is true. */
export function pause<T>(fn: () => T, options: { training?: boolean } = {}): T {
  return withMode({ recording: false, training: options.training ?? false }, fn);
}

/** Whether a gradient would be wanted for this tensor. */
export const needsGrad = (tensor: Tensor | null | undefined): boolean =>
  tensor != null && (tensor.requiresGrad || tensor.node !== null);

/**
 * Puts an op that was just run on the tape, where it is recording and an input wants a gradient.
 * References to `saved` are kept for `backward`, which must not hold on to tensors by itself.
 */
export function recordOp<const S extends Saved>(
  op: string,
  inputs: readonly Tensor[],
  output: Tensor,
  saved: S,
  backward: BackwardFn<S>,
): void {
  if (!mode.recording || !inputs.some(needsGrad)) return;
  const edges = inputs.map(edgeOf);
  for (const edge of edges) if (edge && 'node' in edge) edge.node.references += 1;
  output.node = {
    id: nextId++,
    op,
    edges,
    step: {
      fn: backward as unknown as BackwardFn<Saved>,
      saved: saved.map((tensor) => tensor?.alias() ?? null),
      versions: saved.map((tensor) => tensor?.version),
    },
    references: 1,
  };
}

function edgeOf(tensor: Tensor): Edge {
  if (tensor.node) return { node: tensor.node };
  return tensor.requiresGrad ? { leaf: tensor } : null;
}

/** One reference to the node less. The last one releases its saved values, and so on behind it. */
export function dropReference(node: GradNode): void {
  const dropped = [node];
  for (let next = dropped.pop(); next; next = dropped.pop()) {
    next.references -= 1;
    if (next.references === 0) dropped.push(...release(next));
  }
}

/** Frees what the node keeps; returns the nodes that lose a reference by it. */
function release(node: GradNode): GradNode[] {
  for (const tensor of node.step?.saved ?? []) tensor?.dispose();
  node.step = null;
  const behind = node.edges.flatMap((edge) => (edge && 'node' in edge ? [edge.node] : []));
  node.edges = [];
  return behind;
}

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
  for (const each of nodes) each.references += 1;
  const gradients = new Gradients();
  const { training } = mode;
  try {
    untracked(() =>
      withMode({ recording: false, training }, () => {
        gradients.add({ node }, headGrad?.alias() ?? ones(head.shape, { dtype: head.dtype, device: head.device }));
        for (const each of nodes) {
          runNode(each, gradients);
          if (!retainGraph) release(each).forEach(dropReference);
        }
        gradients.assignLeaves();
      }),
    );
  } finally {
    gradients.dispose();
    nodes.forEach(dropReference);
  }
}

/** The node and all it depends on, latest first. */
function nodesBehind(head: GradNode): GradNode[] {
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

  /** Hands each leaf its gradient, in memory that nothing else uses. */
  assignLeaves(): void {
    for (const [leaf, grad] of this.#ofLeaves) {
      if (leaf.disposed) continue;
      const own = grad.isShared ? run1('copy', {}, [grad]) : grad.alias();
      leaf.grad?.dispose();
      leaf.grad = own;
      trackBeside(own, leaf);
    }
  }

  dispose(): void {
    for (const grad of [...this.#ofNodes.values(), ...this.#ofLeaves.values()]) grad.dispose();
  }
}

function sumOf(a: Tensor | undefined, b: Tensor): Tensor {
  if (!a) return b;
  const sum = run1('add', {}, [a, b]);
  a.dispose();
  b.dispose();
  return sum;
}
