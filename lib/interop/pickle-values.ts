// What a pickle is made of and read by: its bytes, its values, and what it may name.

/** A pickle and where it begins in its file, for error messages. */
export interface PickleSource {
  file: string;
  bytes: Buffer;
  start: number;
}

/** Throws a CheckpointError that names the byte under way. */
export type Fail = (expected: string, found: string) => never;

/** A Python name that a pickle may mention. */
export interface PickleGlobal {
  readonly name: string;
  /** What a call of it makes. Without this it must not be called. */
  readonly call?: (args: readonly unknown[], fail: Fail) => unknown;
}

export interface PickleRules {
  /** By 'module name'. All others are refused. */
  globals: ReadonlyMap<string, PickleGlobal>;
  /** What stands for an object outside the pickle. */
  persistent(id: unknown, fail: Fail): unknown;
  /** What a person can do about a global that is refused. */
  remedy: string;
}

export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** dict and OrderedDict. */
export class PickleDict extends Map<unknown, unknown> {}

/** What a value is, in few words whatever it holds. */
export function kindOf(value: unknown): string {
  if (value === null) return 'None';
  if (value instanceof PickleDict) return 'a dict';
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  return typeof value === 'object' || typeof value === 'function' ? 'an object' : String(value);
}
