// The tape: which op made a tensor while recording, and what it keeps for gradients to flow back (backward.ts).
import { currentPrecision } from '../precision.js';
import { tidy } from '../tensor/scope.js';
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
export type Edge = { node: GradNode } | { leaf: Tensor } | null;

/** How an op's gradient is computed, and from what. */
export interface BackwardStep {
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
  /** Whether gradients here may be too small for float16, in which the op was recorded: then the loss is scaled. */
  readonly isFloat16: boolean;
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

/** Runs `fn` in another mode. Internal. */
export function withMode<T>(next: Mode, fn: () => T): T {
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
  const kept = saved.map((tensor) => tensor?.alias() ?? null);
  putOnTape(op, inputs, output, kept as unknown as S, backward);
}

/** As `recordOp` where a gradient is wanted, with `saved` handed over: they are outside scopes, and the tape disposes them. Internal. */
export function putOnTape<S extends Saved>(
  op: string,
  inputs: readonly Tensor[],
  output: Tensor,
  saved: S,
  backward: BackwardFn<S>,
): void {
  const edges = inputs.map(edgeOf);
  for (const edge of edges) if (edge && 'node' in edge) edge.node.references += 1;
  output.node = {
    id: nextId++,
    op,
    edges,
    step: {
      fn: backward as unknown as BackwardFn<Saved>,
      saved,
      versions: saved.map((tensor) => tensor?.version),
    },
    isFloat16: currentPrecision() === 'float16',
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
export function release(node: GradNode): GradNode[] {
  for (const tensor of node.step?.saved ?? []) tensor?.dispose();
  node.step = null;
  const behind = node.edges.flatMap((edge) => (edge && 'node' in edge ? [edge.node] : []));
  node.edges = [];
  return behind;
}
