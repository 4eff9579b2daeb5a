// Traced forward passes of blocks: where ops are recorded, a block of which everything is the library's own repeats what it did
// before, as long as nothing that its output depends on has changed. Users' own blocks run their code at every call.
import { isRecording, isTraining, needsGrad } from '../autograd/tape.js';
import { isRecordingToRun } from '../graph/deferral.js';
import { currentPrecision } from '../precision.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Block } from './block.js';
import { isObserving } from './forward.js';
import type { Parameter } from './parameter.js';
import { TracedForward } from './traced-forward.js';

const maxTraces = 16; // of a block
const maxMisses = 32; // traces made in a row that were not used again: inputs differ from call to call

type Kind = abstract new (...args: never[]) => Block;
const layers = new Set<unknown>();
const composites = new Set<unknown>();

/**
 * Declares kinds of blocks whose output depends on nothing but the input, parameters, `forwardState()` and the modes (recording,
 * training, precision). Subclasses are not meant. Layers are traced as parts of `made` of them: alone they have nothing to gain.
 */
export function declareRepeatable({
  layers: few = [],
  made = [],
}: {
  layers?: readonly Kind[];
  made?: readonly Kind[];
}): void {
  for (const kind of few) layers.add(kind);
  for (const kind of made) composites.add(kind);
}

/** What the forward pass of a block and of those below it depended on, when it was looked at. */
interface Dependencies {
  /** Whether all these blocks are the library's own; else they are the ones up to the first that is not. */
  readonly isWhole: boolean;
  readonly states: readonly { block: Block; state: readonly unknown[] }[];
  readonly parameters: readonly { parameter: Parameter; tensor: Tensor; requiresGrad: boolean }[];
}

class ForwardCache {
  readonly #block: Block;
  readonly #traces = new Map<string, TracedForward | null>(); // null: it cannot be traced
  #dependencies: Dependencies | null = null;
  #misses = 0;

  constructor(block: Block) {
    this.#block = block;
  }

  /** The traced pass for inputs like `x`; null where its code has to run, 'parts' where this may find traced parts. */
  find(x: Tensor, forward: (x: Tensor) => Tensor): TracedForward | null | 'parts' {
    if (!this.#dependencies || !isAsBefore(this.#dependencies)) this.#lookAgain();
    const { parameters, isWhole } = this.#dependencies ?? {};
    if (isWhole === false) return 'parts';
    if (!parameters || this.#misses > maxMisses) return null;
    const key = `${x.device} ${x.dtype} ${x.shape} ${needsGrad(x)} ${isRecording()} ${isTraining()} ${currentPrecision()}`;
    const known = this.#traces.get(key);
    this.#misses = known ? 0 : this.#misses + 1;
    if (known !== undefined) return known;
    const trace = tryToTrace(this.#block.name, forward, x, parameters);
    if (this.#traces.size >= maxTraces) this.#traces.clear();
    this.#traces.set(key, trace);
    return trace;
  }

  #lookAgain(): void {
    this.#traces.clear(); // a backward pass that is still to come has its own hold on the trace
    this.#dependencies = dependenciesOf(this.#block);
  }
}

const tryToTrace = (
  name: string,
  forward: (x: Tensor) => Tensor,
  x: Tensor,
  parameters: Dependencies['parameters'],
): TracedForward | null => {
  try {
    const tensors = parameters.map(({ tensor }) => tensor);
    return new TracedForward(name, forward, x, tensors);
  } catch {
    return null; // its code tells what is wrong
  }
};

/** Null where a parameter has no values yet. */
function dependenciesOf(block: Block): Dependencies | null {
  const states: Dependencies['states'][number][] = [];
  for (const [, each] of block.descendants()) {
    const isOwn = layers.has(each.constructor) || composites.has(each.constructor);
    const state = isOwn ? each.forwardState() : null;
    if (!state) return { isWhole: false, states, parameters: [] };
    states.push({ block: each, state });
  }
  const parameters = [...block.collectParams().values()];
  if (!parameters.every(({ initialized }) => initialized)) return null;
  return {
    isWhole: true,
    states,
    parameters: parameters.map((parameter) => {
      const tensor = parameter.data();
      return { parameter, tensor, requiresGrad: tensor.requiresGrad };
    }),
  };
}

function isAsBefore({ states, parameters }: Dependencies): boolean {
  return (
    states.every(({ block, state }) => isSameList(block.forwardState(), state)) &&
    parameters.every(
      ({ parameter, tensor, requiresGrad }) =>
        parameter.initialized && parameter.data() === tensor && tensor.requiresGrad === requiresGrad,
    )
  );
}

const isSameList = (a: readonly unknown[] | null, b: readonly unknown[]): boolean =>
  a !== null && a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

const caches = new WeakMap<Block, ForwardCache>();
let isInner = false; // within the code of a repeatable block: those below it are not traced by themselves

/** Whether the forward pass of this block, which begins now, may be repeated as it was traced. */
export const mayRepeat = (block: Block): boolean =>
  isRecordingToRun() && !isInner && !isObserving() && composites.has(block.constructor);

/** What `forward` gives for this input, by its code or as it was traced. Where `mayRepeat`. */
export function repeatForward(block: Block, x: Tensor, forward: (x: Tensor) => Tensor): Tensor {
  let cache = caches.get(block);
  if (!cache) {
    cache = new ForwardCache(block);
    caches.set(block, cache);
  }
  const trace = cache.find(x, forward);
  if (trace === 'parts') return forward(x);
  isInner = true;
  try {
    return trace ? trace.run(x) : forward(x);
  } finally {
    isInner = false;
  }
}
