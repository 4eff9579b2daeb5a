// Memory scopes: what a scope's function creates and does not return is disposed when it ends.
import { ConfigError } from '../errors.js';
import type { Tensor } from './tensor.js';

interface Scope {
  tensors: Set<Tensor>;
}

const scopes: Scope[] = [];
let paused = 0;

/** Registers a new tensor with the innermost scope. Called by the Tensor constructor. */
export function track(tensor: Tensor): void {
  if (paused === 0) scopes.at(-1)?.tensors.add(tensor);
}

/** Registers a tensor with the scope of another one, to which it belongs: a gradient lives where its leaf does. */
export function trackBeside(tensor: Tensor, owner: Tensor): void {
  for (const scope of scopes) if (scope.tensors.has(owner)) scope.tensors.add(tensor);
}

/** Forgets a disposed tensor. */
export function untrack(tensor: Tensor): void {
  for (const scope of scopes) scope.tensors.delete(tensor);
}

/** Runs `fn` with no scope around it: what it creates belongs to the caller (parameters, gradients, optimiser state). */
export function untracked<T>(fn: () => T): T {
  paused += 1;
  try {
    return fn();
  } finally {
    paused -= 1;
  }
}

/**
 * Runs `fn` and disposes every tensor it created, except those in its result (arrays, maps, sets and plain objects are
 * searched), their gradients, and what the autograd tape keeps. Returned tensors move to the enclosing scope.
 * `fn` must not be async: a promise as its result is a ConfigError.
 */
export function tidy<T>(fn: () => T): T {
  const scope: Scope = { tensors: new Set() };
  const wasPaused = paused;
  paused = 0;
  scopes.push(scope);
  const kept = new Set<unknown>();
  try {
    const result = fn();
    if (result instanceof Promise) {
      result.catch(() => {}); // it fails for want of its tensors; the error below says why
      throw new ConfigError('tidy expected a function that returns its result, got one that returns a promise.');
    }
    collect(result, kept);
    return result;
  } finally {
    scopes.pop();
    paused = wasPaused;
    close(scope, kept);
  }
}

/** Disposes the scope's tensors but those kept, which move to the enclosing scope. */
function close(scope: Scope, kept: Set<unknown>): void {
  for (const tensor of scope.tensors) if (kept.has(tensor) && tensor.grad) kept.add(tensor.grad);
  for (const tensor of scope.tensors) {
    if (kept.has(tensor)) {
      track(tensor);
      continue;
    }
    if (kept.has(tensor.grad)) tensor.grad = null;
    tensor.dispose();
  }
}

/** Gathers `value` and everything reachable through arrays, maps, sets and plain objects. */
function collect(value: unknown, found: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || found.has(value)) return;
  found.add(value);
  if (Array.isArray(value) || value instanceof Set) for (const item of value) collect(item, found);
  else if (value instanceof Map) for (const item of value.values()) collect(item, found);
  else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const item of Object.values(value)) collect(item, found);
  }
}
