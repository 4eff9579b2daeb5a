// The name that was probably meant, for error messages about names that nobody knows.

/**
 * Of the known names, one of which `name` is the beginning, else one whose words begin with its letters ('lr': 'learningRate'), else the
 * one with the fewest letters to change, whatever their case.
 * `known` has at least one.
 */
export function nearestName(name: string, known: readonly string[]): string {
  const text = name.toLowerCase();
  const begun = text === '' ? undefined : known.find((other) => other.toLowerCase().startsWith(text));
  const distances = known.map((other) => distance(other.toLowerCase(), text));
  const shortened = known.find((other) => initials(other) === text);
  return begun ?? shortened ?? (known[distances.indexOf(Math.min(...distances))] as string);
}

/** The first letters of the words in 'learningRate' or 'label-smoothing'; none of a single word. */
function initials(name: string): string | undefined {
  const words = name.split(/(?=[A-Z])|-/);
  return words.length < 2 ? undefined : words.map((word) => word.charAt(0).toLowerCase()).join('');
}

/** How many letters must be inserted, left out or replaced to make `b` of `a` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] as number) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
