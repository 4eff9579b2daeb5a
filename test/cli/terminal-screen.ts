// What a terminal shows of what was written to it, as far as a progress bar needs one.

const esc = String.fromCharCode(27);
const parts = new RegExp(`${esc}(?:\\[\\??(\\d*))?(\\w)|\\n|[^\\n${esc}]+`, 'g');

/** The lines of a terminal that never scrolls. Throws at a sequence that it does not know. */
export function screenOf(text: string): string[] {
  const screen = new Screen();
  for (const [part, number, name] of text.matchAll(parts)) {
    if (part === '\n') screen.newLine();
    else if (name === undefined) screen.put(part);
    else screen.control(name, Number(number));
  }
  return screen.lines;
}

class Screen {
  readonly lines = [''];
  #row = 0;
  #column = 0;
  #saved: readonly [row: number, column: number] = [0, 0];

  newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.lines[this.#row] ??= '';
  }

  put(text: string): void {
    const line = this.#line.padEnd(this.#column);
    this.#line = line.slice(0, this.#column) + text + line.slice(this.#column + text.length);
    this.#column += text.length;
  }

  control(name: string, number: number): void {
    if (name === 'G') this.#column = number - 1;
    else if (name === 'K') this.#line = number === 2 ? '' : this.#line.slice(0, this.#column);
    else if (name === '7') this.#saved = [this.#row, this.#column];
    else if (name === '8') [this.#row, this.#column] = this.#saved;
    else if (name !== 'h' && name !== 'l') throw new Error(`The sequence ${name} is not known here.`); // modes, such as line wrapping
  }

  get #line(): string {
    return this.lines[this.#row] as string;
  }
  set #line(text: string) {
    this.lines[this.#row] = text;
  }
}
