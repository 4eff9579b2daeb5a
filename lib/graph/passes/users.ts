// Who makes and who uses the values of a program.
import { type Node, type Program, updatedValues } from '../program.js';

export class Users {
  readonly #program: Program;
  readonly #maker = new Map<number, Node>();
  readonly #uses = new Map<number, Node[]>();
  readonly #updated = new Set<number>();

  constructor(program: Program) {
    this.#program = program;
    for (const node of program.nodes) {
      for (const value of node.outputs) this.#maker.set(value, node);
      for (const value of node.inputs) this.#uses.set(value, [...(this.#uses.get(value) ?? []), node]);
      for (const value of updatedValues(node)) this.#updated.add(value);
    }
  }

  /** The node that makes a value; undefined for a leaf. */
  maker(value: number): Node | undefined {
    return this.#maker.get(value);
  }

  /** The nodes that use a value. */
  users(value: number): readonly Node[] {
    return this.#uses.get(value) ?? [];
  }

  /** The one node that uses a value which is not wanted otherwise; undefined where there are none or several. */
  onlyUser(value: number): Node | undefined {
    const uses = this.#uses.get(value) ?? [];
    return uses.length === 1 && !this.#program.outputs.includes(value) ? uses[0] : undefined;
  }

  /** Whether `node` is the last to use the value: no later node and no caller wants it, and it is no leaf. */
  isLastUse(value: number, node: Node): boolean {
    const uses = this.#uses.get(value) ?? [];
    const isLast = uses.every((user) => this.#indexOf(user) <= this.#indexOf(node));
    return isLast && value >= this.#program.leafCount && !this.#program.outputs.includes(value);
  }

  /** Whether some node updates the value in place. */
  isUpdated(value: number): boolean {
    return this.#updated.has(value);
  }

  #indexOf(node: Node): number {
    return this.#program.nodes.indexOf(node);
  }
}
