// Text that fits a terminal. Where there is none, nothing is changed: programs read whole lines.

/** Columns of the terminal that a stream writes to; Infinity where it is none. */
export function columnsOf(stream: { isTTY?: boolean; columns?: number }): number {
  return stream.isTTY && stream.columns ? stream.columns : Infinity;
}

/** Lines of at most `width` characters, where the words allow it; those after the first begin with `indent`. */
export function wrapped(text: string, width: number, indent = ''): string {
  return filled(text.split(' '), ' ', width, indent);
}

/** The same of pieces that are not broken themselves. */
export function filled(pieces: readonly string[], separator: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  pieces.forEach((piece, i) => {
    const text = i < pieces.length - 1 ? piece + separator : piece;
    if (line !== '' && (line + text.trimEnd()).length > width) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += text;
  });
  return [...lines, line].join('\n');
}

/** The text, or its beginning and an ellipsis. */
export const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
