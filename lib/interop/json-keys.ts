// Looks at a JSON text without building what it describes: how large and deep that would be, and names that stand twice.

const [quote, backslash, comma] = ['"', '\\', ','].map((char) => char.charCodeAt(0));
const opening = new Set(['{', '['].map((char) => char.charCodeAt(0)));
const closing = new Set(['}', ']'].map((char) => char.charCodeAt(0)));

/** How many values a JSON text has and how deep they are nested, at least: it need not be valid. */
export function jsonSize(text: Uint8Array): { values: number; depth: number } {
  let [values, depth, deepest, isQuoted] = [1, 0, 0, false];
  for (let i = 0; i < text.length; i += 1) {
    const byte = text[i] as number;
    if (isQuoted) {
      if (byte === backslash) i += 1;
      else if (byte === quote) isQuoted = false;
    } else if (byte === quote) isQuoted = true;
    else if (byte === comma) values += 1;
    else if (opening.has(byte)) {
      values += 1;
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (closing.has(byte)) depth -= 1;
  }
  return { values, depth: deepest };
}

/**
 * The first name that an object has twice, of which JSON.parse takes the last and says nothing; undefined where none has.
 * `text` is known to be valid JSON.
 */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | null)[] = []; // of the objects and lists (null) that are open
  const token = /["{}[\]]/g;
  const colon = /\s*:/y;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match;
    if (found === '{') objects.push(new Set());
    else if (found === '[') objects.push(null);
    else if (found === '}' || found === ']') objects.pop();
    else {
      const end = endOfString(text, match.index);
      token.lastIndex = end;
      colon.lastIndex = end;
      if (!colon.test(text)) continue;
      const key = JSON.parse(text.slice(match.index, end)) as string;
      const keys = objects.at(-1) as Set<string>;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

/** One past the closing quote of the string that begins at `start`. A regular expression's stack would not do for a long one. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(text: string, place: number): boolean {
  let first = place;
  while (text.charCodeAt(first - 1) === backslash) first -= 1;
  return (place - first) % 2 === 1;
}
