// The line of a progress bar: of its parts as many as the terminal is wide for, the more important ones first, and each of them whole.

/** One piece of the line. */
export interface LinePart {
  /** Its text; of several the first one that there is room for. */
  forms: readonly string[];
  /** 1: the last one to be left out. */
  rank: number;
  /** What stands between it and a neighbour with the same separator; others are two spaces apart. */
  separator: string;
}

const barWidths = [10, 9, 8, 7, 6, 5, 4];

/** The part that shows `share`, from 0 to 1, as a bar. */
export function barPart(share: number, rank: number): LinePart {
  return { forms: barWidths.map((width) => bar(share, width)), rank, separator: ' ' };
}

function bar(share: number, width: number): string {
  const done = Math.round(share * width);
  return '\u2588'.repeat(done) + '\u2591'.repeat(width - done);
}

/** The line of at most `width` characters, its parts in the order given. */
export function progressLine(parts: readonly LinePart[], width: number): string {
  const texts = new Map<LinePart, string>();
  const line = (): string => {
    const shown = parts.filter((part) => texts.has(part));
    return shown.map((part, i) => gap(shown[i - 1], part) + texts.get(part)).join('');
  };
  for (const part of [...parts].sort((a, b) => a.rank - b.rank)) {
    const fits = (form: string): boolean => texts.set(part, form) && line().length <= width;
    if (!part.forms.some(fits)) texts.delete(part);
  }
  return line();
}

function gap(before: LinePart | undefined, { separator }: LinePart): string {
  if (before === undefined) return '';
  return before.separator === separator ? separator : '  ';
}
