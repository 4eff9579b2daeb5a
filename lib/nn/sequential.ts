// Layers one after another.
import { ConfigError } from '../errors.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { Activation } from './activation.js';
import { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';
import { isObserving } from './forward.js';
import type { Parameter } from './parameter.js';

/**
 * Feeds each block's output to the next. Each intermediate is freed as soon as the next block has used it and the
 * backward pass does not need it. BatchNorm directly followed by Activation('relu') runs as one fused op.
 */
export class Sequential extends Block {
  readonly #blocks: Block[] = [];

  /** Appends blocks; their structural names are their positions. */
  add(...blocks: Block[]): this {
    for (const block of blocks) {
      if (!(block instanceof Block))
        throw new ConfigError(
          `Sequential.add() expected each argument to be a Block, got ${block === null ? 'null' : typeof block}.`,
        );
      this.#blocks.push(block);
    }
    return this;
  }

  get length(): number {
    return this.#blocks.length;
  }

  /** The block at position `i`; negative positions count from the end. Throws ConfigError where there is none. */
  at(i: number): Block {
    const block = this.#blocks.at(i);
    if (!block || !Number.isInteger(i))
      throw new ConfigError(`Sequential.at() expected a position below ${this.length}, got ${i}.`);
    return block;
  }

  [Symbol.iterator](): IterableIterator<Block> {
    return this.#blocks.values();
  }

  protected override *members(): Iterable<[string, Block | Parameter]> {
    for (const [i, block] of this.#blocks.entries()) yield [String(i), block];
    yield* super.members();
  }

  override forwardState(): readonly unknown[] | null {
    const state = super.forwardState();
    return state && [...state, ...this.#blocks];
  }

  override forward(x: Tensor): Tensor {
    return runSteps(this.#steps(), x);
  }

  /** What to run in turn: blocks, or two of them as one. */
  #steps(): ((x: Tensor) => Tensor)[] {
    const steps: ((x: Tensor) => Tensor)[] = [];
    for (let i = 0; i < this.#blocks.length; i += 1) {
      const block = this.#blocks[i] as Block;
      const next = this.#blocks[i + 1];
      if (isPlainBatchNorm(block) && isPlainRelu(next) && !isObserving()) {
        steps.push((x) => block.forwardRelu(x));
        i += 1;
      } else steps.push((x) => block.forward(x));
    }
    return steps;
  }
}

/** Runs the steps in turn. Each in a scope that holds its input: so the input is freed when the step is done. */
export function runSteps(steps: ((x: Tensor) => Tensor)[], x: Tensor): Tensor {
  const last = steps.at(-1);
  return last ? tidy(() => last(runSteps(steps.slice(0, -1), x))) : x;
}

// Subclasses may compute something else: only the library's own classes are fused.
const isPlainBatchNorm = (block: Block | undefined): block is BatchNorm => block?.constructor === BatchNorm;
const isPlainRelu = (block: Block | undefined): block is Activation => block?.constructor === Activation;
