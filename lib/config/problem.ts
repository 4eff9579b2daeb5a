// What is wrong with a config, in words.
import type { Problem } from './kinds.js';

/** "unknown key 'x' in optimizer: did you mean 'y'? ..." or "data.size: expected ..., got ...": a whole sentence. */
export function describeProblem({ path, expected, found, nearest, unknownKey }: Problem): string {
  if (unknownKey) {
    const group = keyPath(path.slice(0, -1));
    const place = group === '' ? '' : ` in ${group}`;
    return `unknown key '${unknownKey.key}'${place}: did you mean '${nearest}'? The keys there are ${unknownKey.known.join(', ')}.`;
  }
  const hint = nearest === undefined ? '.' : `; did you mean '${nearest}'?`;
  return `${keyPath(path) || 'the whole'}: expected ${expected}, got ${show(found)}${hint}`;
}

/** schedule.at[1] */
export function keyPath(path: readonly (string | number)[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i > 0 ? `.${key}` : key)).join('');
}

function show(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
