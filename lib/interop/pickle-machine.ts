// The stack machine that a pickle is a program for: stack, marks, memo, and the operands in the bytes.
import {
  type Fail,
  kindOf,
  PickleDict,
  type PickleGlobal,
  type PickleRules,
  type PickleSource,
  PickleTuple,
} from './pickle-values.js';
import { refuse } from './refuse.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The stack machine of the pickle format. */
export class PickleMachine {
  readonly #source: PickleSource;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = []; // heights of the stack
  readonly #memo = new Map<number, unknown>(); // no array: its indices come from the file
  #position = 0;
  #opcodeAt = 0;

  constructor(source: PickleSource, rules: PickleRules) {
    this.#source = source;
    this.#rules = rules;
  }

  /** The next opcode; errors name its place. */
  opcode(): number {
    this.#opcodeAt = this.#position;
    return this.byte();
  }

  readonly fail: Fail = (expected, found) => {
    const offset = this.#source.start + this.#opcodeAt;
    refuse(this.#source.file, `the pickle at byte ${offset}: expected ${expected}, found ${found}.`, {
      offset,
      expected,
      found,
    });
  };

  #take(count: number): Buffer {
    const { bytes } = this.#source;
    if (count > bytes.length - this.#position) this.fail(`${count} more bytes`, `${bytes.length - this.#position}`);
    this.#position += count;
    return bytes.subarray(this.#position - count, this.#position);
  }

  byte = (): number => this.#take(1)[0] as number;
  uint16 = (): number => this.#take(2).readUInt16LE();
  int32 = (): number => this.#take(4).readInt32LE();
  uint32 = (): number => this.#take(4).readUInt32LE();
  double = (): number => this.#take(8).readDoubleBE();
  skip = (count: number): void => void this.#take(count);

  /** A two's complement integer of `count` bytes. */
  long(count: number): number | bigint {
    const digits = [...this.#take(count)].reverse().map((byte) => byte.toString(16).padStart(2, '0'));
    const value = count === 0 ? 0n : BigInt.asIntN(8 * count, BigInt(`0x${digits.join('')}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(count: number): string {
    const bytes = this.#take(count);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.fail('UTF-8 text', 'other bytes');
    }
  }

  line(): string {
    const end = this.#source.bytes.indexOf(0x0a, this.#position);
    if (end < 0) this.fail('a line', 'no end of line');
    const text = this.text(end - this.#position);
    this.skip(1);
    return text;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    this.#checkHeight(1);
    return this.#stack.pop();
  }

  /** The last `count` values. */
  popMany(count: number): unknown[] {
    this.#checkHeight(count);
    return this.#stack.splice(this.#stack.length - count, count);
  }

  top(): unknown {
    this.#checkHeight(1);
    return this.#stack.at(-1);
  }

  #checkHeight(count: number): void {
    const height = this.#stack.length - (this.#marks.at(-1) ?? 0);
    if (height < count) this.fail(`${count} values on the stack`, `${height}`);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** What was pushed since the last mark. */
  popMark(): unknown[] {
    const height = this.#marks.pop();
    if (height === undefined) return this.fail('a mark on the stack', 'none');
    return this.#stack.splice(height);
  }

  put(index: number = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  get(index: number): void {
    if (!this.#memo.has(index)) this.fail(`a value in place ${index} of the memo`, 'none');
    this.push(this.#memo.get(index));
  }

  global(module: string, name: string): void {
    const found = this.#rules.globals.get(`${module} ${name}`);
    if (!found)
      this.fail(
        `only what a state dict needs (nothing of the file is executed)`,
        `'${module.slice(0, 100)}.${name.slice(0, 100)}'. ${this.#rules.remedy}`,
      );
    this.push(found);
  }

  call(): void {
    const [callee, args] = this.popMany(2);
    if (!(args instanceof PickleTuple)) this.fail('a tuple of arguments', kindOf(args));
    const { name, call } = (callee ?? {}) as Partial<PickleGlobal>;
    if (!call) this.fail('a function that may be called', name ? `'${name}'` : kindOf(callee));
    this.push(call(args.items, this.fail));
  }

  persistent(): void {
    this.push(this.#rules.persistent(this.pop(), this.fail));
  }

  /** Into the dict below them: keys and values in turn. */
  setItems(items: unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) this.fail('a dict to put items into', kindOf(dict));
    if (items.length % 2 !== 0) this.fail('keys with values', `${items.length} values`);
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail('a list to append to', kindOf(list));
    for (const item of items) list.push(item);
  }

  /** An OrderedDict's attributes (a state dict's `_metadata`) say nothing about its tensors. */
  build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof PickleDict)) this.fail('a dict to give attributes to', kindOf(target));
  }
}
