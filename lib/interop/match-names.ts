// Recognises whose names a file's tensors have, and what stands before all of them ('module.', 'backbone.').
import { nameIn, type WeightNames, weightNames } from './weight-names.js';

export interface NameMatch {
  names: WeightNames;
  /** What the names begin with in the file: 'module.' for DataParallel, 'resnet.' for Hugging Face's classifiers. */
  prefix: string;
  /** Our name -> the file's, for every parameter that the file has. */
  found: ReadonlyMap<string, string>;
}

const prefixesTried = 16; // the shortest ones: a file with many that match is tried in bounded time

/**
 * The way of reading the file's names that finds most of `ours`; null where none finds any. `isHead` tells the parameters
 * that may stand outside the prefix, beside the backbone.
 */
export function matchNames(
  ours: readonly string[],
  theirs: ReadonlyMap<string, unknown>,
  isHead: (name: string) => boolean,
): NameMatch | null {
  let best: NameMatch | null = null;
  for (const names of weightNames) {
    const wanted = ours.flatMap((name) => {
      const other = nameIn(names, name);
      return other === undefined ? [] : [[name, other] as const];
    });
    for (const prefix of prefixesOf(wanted[0]?.[1], theirs)) {
      const found = new Map<string, string>();
      for (const [name, other] of wanted) {
        const places = isHead(name) ? enclosing(prefix) : [prefix];
        const place = places.find((before) => theirs.has(before + other));
        if (place !== undefined) found.set(name, place + other);
      }
      if (found.size > (best?.found.size ?? 0)) best = { names, prefix, found };
    }
  }
  return best;
}

/** What stands before `name` in names of the file that end in it; nothing at all is tried in any case. */
function prefixesOf(name: string | undefined, theirs: ReadonlyMap<string, unknown>): string[] {
  if (name === undefined) return [];
  const longer = [...theirs.keys()].filter((key) => key.endsWith(`.${name}`));
  const prefixes = longer.map((key) => key.slice(0, key.length - name.length));
  return ['', ...prefixes.sort((a, b) => a.length - b.length).slice(0, prefixesTried)];
}

/** 'module.resnet.' -> 'module.resnet.', 'module.', ''. */
function enclosing(prefix: string): string[] {
  const parts = prefix.split('.').slice(0, -1);
  return [...parts.keys(), parts.length]
    .map((n) =>
      parts
        .slice(0, n)
        .map((part) => `${part}.`)
        .join(''),
    )
    .reverse();
}
