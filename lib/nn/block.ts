// The base class of layers and nets: children and parameters by assignment, initialisation, files, summary.
import { Device } from '../device.js';
import { ConfigError, DeviceError } from '../errors.js';
import { setStrict } from '../graph/watch.js';
import { checkBoolean, checkOptions } from '../options.js';
import { Tensor } from '../tensor/tensor.js';
import { inLayer } from './forward.js';
import { mayRepeat, repeatForward } from './forward-cache.js';
import { Parameter } from './parameter.js';
import { ParameterDict } from './parameter-dict.js';
import { type LoadOptions, loadParameters, saveParameters } from './parameter-file.js';
import { checkInitializer, type InitializeOptions } from './parameter-options.js';
import { type SummaryOptions, summarize } from './summary.js';

const counters = new Map<string, number>(); // how many blocks of a kind were named so far

/** 'conv0', 'conv1', ...: counted per kind. */
function nextName(kind: string): string {
  const number = counters.get(kind) ?? 0;
  counters.set(kind, number + 1);
  return `${kind}${number}`;
}

/** Refuses missing inputs and what is no tensor. `count`: how many inputs the forward names. */
function checkInputs(block: Block, inputs: readonly unknown[], count: number): void {
  const kind = block.constructor.name;
  if (inputs.length < count) throw new ConfigError(`${kind}.forward() expected ${count} inputs, got ${inputs.length}.`);
  const other = inputs.slice(0, count).findIndex((input) => !(input instanceof Tensor));
  if (other < 0) return;
  const found = inputs[other];
  throw new ConfigError(
    `${kind}.forward() expected input ${other} to be a Tensor, got ${found === null ? 'null' : typeof found}.`,
  );
}

/**
 * A layer, or a net made of layers. A subclass assigns its layers and parameters to properties and computes its output
 * in `forward`:
 *
 *     class Twice extends nn.Block {
 *       dense = new nn.Dense(4);
 *       forward(x: Tensor) { return this.dense.forward(x).mul(2); }
 *     }
 *
 * Properties that hold a Block, a Parameter or an array of Blocks are registered, in the order of their definition
 * (private `#fields` cannot be seen and are not). `forward` is a tidy scope: what it creates and does not return is
 * freed as soon as the backward pass no longer needs it. Errors in it name the layer.
 */
export abstract class Block {
  /** 'conv0', 'batchnorm1', ...: the kind, and a number counted per kind. May be set. */
  name: string;
  #hybridized = false;
  readonly #forward: (...inputs: Tensor[]) => Tensor; // as it was made: users may put another in its place

  constructor() {
    this.name = nextName(this.kind());
    const forward = this.forward; // the subclass's
    if (typeof forward !== 'function')
      throw new ConfigError(`${this.constructor.name} must define forward as a method.`);
    const wrapped = (...inputs: Tensor[]): Tensor =>
      inLayer(this, () => {
        checkInputs(this, inputs, forward.length);
        const [x] = inputs;
        const repeats = x !== undefined && inputs.length === 1 && mayRepeat(this);
        return repeats ? repeatForward(this, x, (input) => forward.call(this, input)) : forward.apply(this, inputs);
      });
    this.#forward = wrapped;
    Object.defineProperty(this, 'forward', { value: wrapped, writable: true, configurable: true, enumerable: false });
  }

  /** The output for given inputs. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /**
   * What the output depends on besides input and parameters, to be compared with what it was; null where it may depend on anything,
   * for a method was replaced. Internal.
   */
  forwardState(): readonly unknown[] | null {
    const values = Object.values(this);
    return this.forward === this.#forward && values.every((value) => typeof value !== 'function') ? values : null;
  }

  /** What default names begin with. */
  protected kind(): string {
    return this.constructor.name.toLowerCase();
  }

  /** Blocks and parameters that belong to this block directly, with their names, in definition order. */
  protected *members(): Iterable<[string, Block | Parameter]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Block || value instanceof Parameter) yield [name, value];
      else if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) if (item instanceof Block) yield [`${name}.${i}`, item];
      }
    }
  }

  /** The blocks that belong to this one directly, by name, in definition order. */
  get children(): ReadonlyMap<string, Block> {
    return new Map([...this.members()].filter((entry): entry is [string, Block] => entry[1] instanceof Block));
  }

  /** This block (path '') and every block below it with its structural name, in definition order, each once. */
  *descendants(prefix = '', seen: Set<Block> = new Set()): Iterable<[string, Block]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.children) yield* child.descendants(prefix ? `${prefix}.${name}` : name, seen);
  }

  /**
   * Parameters of this block and of all below it: structural name ('4.0.conv1.weight') -> parameter, in definition
   * order. One that is reached in two ways comes once, under the first name. `select` keeps matching names.
   */
  collectParams(select?: RegExp): ParameterDict {
    if (select !== undefined && !(select instanceof RegExp)) {
      throw new ConfigError(`collectParams() expected a regular expression, got ${typeof select}.`, {
        argument: 'select',
      });
    }
    const found = new ParameterDict();
    this.#collect('', found, new Set());
    if (select) for (const name of [...found.keys()]) if (name.search(select) < 0) found.delete(name);
    return found;
  }

  #collect(prefix: string, found: ParameterDict, seen: Set<Block | Parameter>): void {
    for (const [name, member] of this.members()) {
      if (seen.has(member)) continue;
      seen.add(member);
      if (member instanceof Parameter) found.set(prefix + name, member);
      else member.#collect(`${prefix}${name}.`, found, seen);
    }
  }

  /**
   * Gives every parameter its first values, or, where a size is inferred, has them drawn at the first forward.
   * `init` is for weights; biases and betas start at 0, gammas at 1. Parameters that have values keep them unless
   * `forceReinit`. Throws ConfigError.
   */
  initialize(options: InitializeOptions = {}): void {
    checkOptions('initialize()', options, ['init', 'device', 'forceReinit']);
    if (options.init !== undefined) checkInitializer('initialize()', options.init);
    if (options.device !== undefined && !(options.device instanceof Device)) {
      throw new DeviceError(
        `initialize() expected device to be a Device such as cpu(), got ${typeof options.device}.`,
        { argument: 'device' },
      );
    }
    if (options.forceReinit !== undefined) checkBoolean('initialize()', 'forceReinit', options.forceReinit);
    for (const parameter of this.collectParams().values()) parameter.initialize(options);
  }

  /**
   * From the next forward pass of this block on, ops are recorded instead of run, until `Trainer.step()` has been called or a
   * value is read; then all of them run as one program, planned once for each set of shapes (see `capture`). Results are
   * the same either way.
   *
   * A `forward` that reads values splits its program there, which is said once, as a warning of code RESIDUA_CAPTURE with the place; one
   * that computes something else at almost every call is said likewise, and the block runs op by op from then on (`hybridized` is false).
   * With `strict` both throw ConfigError instead. Default false.
   */
  hybridize(active = true, options: { strict?: boolean } = {}): void {
    checkBoolean('hybridize()', 'active', active);
    checkOptions('hybridize()', options, ['strict']);
    const strict = checkBoolean('hybridize()', 'strict', options.strict ?? false);
    setStrict(this, active && strict);
    for (const [, block] of this.descendants()) block.#hybridized = active;
  }

  /** Whether its ops are recorded and run as one program. */
  get hybridized(): boolean {
    return this.#hybridized;
  }

  /**
   * Writes all parameters to a safetensors file, under their structural names, as they are at the time of the call.
   * The file appears whole or not at all. Throws CheckpointError, and ConfigError where a parameter has no values yet.
   */
  async saveParameters(file: string): Promise<void> {
    await saveParameters(this.collectParams(), file);
  }

  /**
   * Reads parameters from a safetensors file; ones without values get them, and their shapes, from it. Throws
   * CheckpointError where names or shapes differ or the file is damaged, and then changes nothing.
   */
  async loadParameters(file: string, options: LoadOptions = {}): Promise<void> {
    await loadParameters(this.collectParams(), file, options);
  }

  /**
   * A table: each layer's path and kind, its output shape for one input of `inputShape`, how many parameters it and the
   * layers below it have, and their multiply-adds in one such forward pass. Runs a forward pass of zeros in prediction mode; the block stays as it was, also
   * where it is not initialised.
   */
  summary(inputShape: readonly number[], options: SummaryOptions = {}): string {
    return summarize(this, inputShape, options);
  }

  /**
   * Multiply-adds of the layer's own arithmetic for an output of this shape, as He et al. count: products with weights alone.
   * 0 for layers without; those of the layers below do not count here.
   */
  multiplyAdds(_outputShape: readonly number[]): number {
    return 0;
  }

  /** What a layer is made with, for `toString`: '64, kernelSize 3'. */
  protected describe(): string {
    return '';
  }

  /** The tree of layers. */
  toString(): string {
    const lines = [...this.children].map(
      ([name, child]) => `  ${name}: ${child.toString().replaceAll('\n', '\n  ')}\n`,
    );
    return `${this.constructor.name}(${lines.length ? `\n${lines.join('')}` : this.describe()})`;
  }
}
