// Finds the state dict in what a PyTorch file holds: the dict itself, or one inside a training checkpoint.
import { PickleDict } from './pickle-values.js';
import { StridedTensor } from './pytorch-tensors.js';
import { refuse } from './refuse.js';

/** Names that training scripts give it, the likeliest first. */
const usualNames = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'module', 'weights'];

const deepest = 2; // levels of dicts below the file's own

export interface StateDict {
  tensors: Map<string, StridedTensor>;
  /** Keys that lead to it: ['state_dict']; none where the file is the state dict. */
  path: readonly string[];
}

interface Candidate {
  dict: PickleDict;
  path: readonly string[];
}

/**
 * The dict of tensors with the usual name, or else the one nearest to the root (a checkpoint may hold single tensors too).
 * Throws CheckpointError where there is none, or where several have the same claim.
 */
export function findStateDict(file: string, root: unknown): StateDict {
  const found = dictsIn(root).filter(({ dict }) => tensorsOf(dict).length > 0);
  const claim = ({ path }: Candidate): number => {
    const rank = usualNames.indexOf(path.at(-1) ?? '');
    return rank < 0 ? usualNames.length + path.length : rank;
  };
  const [first, second] = found.sort((a, b) => claim(a) - claim(b));
  if (!first)
    return refuse(
      file,
      'expected a state dict (names with tensors) or a dict that holds one, found none. Save it with torch.save(model.state_dict(), file).',
    );
  if (second && claim(second) === claim(first)) {
    const names = [first, second].map(({ path }) => `'${path.join('.')}'`).join(' and ');
    refuse(
      file,
      `expected one state dict, found ${names}. Save the one that is wanted alone: torch.save(checkpoint[name], file).`,
    );
  }
  const tensors = new Map(tensorsOf(first.dict));
  checkOverlap(file, tensors);
  return { tensors, path: first.path };
}

/** The dict and those inside it, to a depth that also ends cycles. */
function dictsIn(root: unknown): Candidate[] {
  const found: Candidate[] = root instanceof PickleDict ? [{ dict: root, path: [] }] : [];
  const seen = new Set<unknown>([root]);
  for (const { dict, path } of found) {
    if (path.length === deepest) continue;
    for (const [key, value] of dict) {
      if (typeof key !== 'string' || !(value instanceof PickleDict) || seen.has(value)) continue;
      seen.add(value);
      found.push({ dict: value, path: [...path, key] });
    }
  }
  return found;
}

/** What else the dict holds is passed over. */
const tensorsOf = (dict: PickleDict): [string, StridedTensor][] =>
  [...dict].filter(
    (entry): entry is [string, StridedTensor] => typeof entry[0] === 'string' && entry[1] instanceof StridedTensor,
  );

/** Tensors may share a storage, but no part of it: so all of them are no larger than the file. */
function checkOverlap(file: string, tensors: ReadonlyMap<string, StridedTensor>): void {
  const inStorages = new Map<string, [string, StridedTensor][]>();
  for (const entry of tensors) {
    const { key } = entry[1].storage;
    const others = inStorages.get(key);
    if (others) others.push(entry);
    else inStorages.set(key, [entry]);
  }
  for (const sharing of inStorages.values()) {
    sharing.sort(([, a], [, b]) => a.offset - b.offset || a.end - b.end);
    for (let i = 1; i < sharing.length; i += 1) {
      const [[before, { end }], [name, { offset, size, storage }]] = sharing.slice(i - 1, i + 1) as [
        [string, StridedTensor],
        [string, StridedTensor],
      ];
      if (size > 0 && offset < end)
        refuse(
          file,
          `tensor '${name}': expected it to begin at element ${end} of storage '${storage.key}' or later, found ${offset}: it overlaps '${before}'. Save clones: torch.save({name: t.clone() for name, t in model.state_dict().items()}, file).`,
          {
            tensor: name,
            expected: end,
            found: offset,
          },
        );
    }
  }
}
