// What happens around every layer's forward: a memory scope, the layer's path in error messages, observers.
import { ResiduaError } from '../errors.js';
import { beginDeferral, endDeferral } from '../graph/deferral.js';
import { setLayerUnderWay } from '../graph/watch.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Block } from './block.js';

type Observer = (block: Block, output: Tensor) => void;

const active: Block[] = []; // blocks whose forward is under way, outermost first
const explained = new WeakSet<ResiduaError>(); // errors whose message names a layer
let observer: Observer | null = null;

/** Runs a layer's arithmetic: a tidy scope, and errors say in which layer they came up. */
export function inLayer(block: Block, arithmetic: () => Tensor): Tensor {
  if (block.hybridized && !observer) beginDeferral({ block });
  active.push(block);
  try {
    const output = tidy(arithmetic);
    observer?.(block, output);
    return output;
  } catch (error) {
    // A failure of earlier, asynchronous work only surfaces here: this layer has no part in it.
    if (error instanceof ResiduaError && !error.details.deferred) explain(error, block);
    if (block.hybridized && outermostHybridized() === block) endDeferral();
    throw error;
  } finally {
    active.pop();
  }
}

const outermostHybridized = (): Block | undefined => active.find(({ hybridized }) => hybridized);

/** The outermost hybridized block whose forward is under way, and the layer in it that computes now. */
setLayerUnderWay(() => {
  const block = outermostHybridized();
  const innermost = active.at(-1);
  return block && innermost ? { block, layer: pathTo(active[0] as Block, innermost) || innermost.name } : null;
});

/** Runs `fn`; `observe` sees every layer's output. Layers are not fused meanwhile, so that each one has an output. */
export function observing<T>(observe: Observer, fn: () => T): T {
  const previous = observer;
  observer = observe;
  try {
    return fn();
  } finally {
    observer = previous;
  }
}

/** The innermost block whose forward is under way; undefined outside of any. */
export const activeBlock = (): Block | undefined => active.at(-1);

export const isObserving = (): boolean => observer !== null;

/** Puts the layer's path before the message, once: the innermost layer is the first to see the error. */
function explain(error: ResiduaError, block: Block): void {
  if (explained.has(error)) return;
  explained.add(error);
  const root = active[0] as Block;
  const layer = pathTo(root, block) || block.name;
  const message = `in layer ${layer}: ${error.message}`;
  if (error.stack) error.stack = error.stack.replace(error.message, () => message);
  error.message = message;
  Object.assign(error, { details: { ...error.details, layer } });
}

/** Structural name of `target` inside `root`: '' for the root itself and for what it does not contain. */
function pathTo(root: Block, target: Block): string {
  for (const [path, block] of root.descendants()) if (block === target) return path;
  return '';
}
