// Finds names that stand twice in an object of a JSON text: JSON.parse takes the last of them and says nothing.

/** The first name that an object has twice; undefined where none has. `text` is known to be valid JSON. */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | null)[] = []; // of the objects and lists (null) that are open
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const [found, isKey] of text.matchAll(token)) {
    if (found === '{') objects.push(new Set());
    else if (found === '[') objects.push(null);
    else if (found === '}' || found === ']') objects.pop();
    else if (isKey) {
      const key = JSON.parse(found.slice(0, -isKey.length)) as string;
      const keys = objects.at(-1) as Set<string>;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
