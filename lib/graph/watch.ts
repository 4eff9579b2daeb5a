// Watches hybridized blocks for what keeps their ops from becoming one program that runs again and again: values that are read inside
// `forward`, and programs that differ from call to call. It is said once for each block, or thrown.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.js';

/** What is asked of a hybridized block. */
export interface HybridBlock {
  readonly name: string;
  hybridize(active: boolean): void;
}

const library = dirname(dirname(fileURLToPath(import.meta.url)));
const maxNewPrograms = 8;
const strict = new WeakSet<HybridBlock>();
const told = new WeakSet<HybridBlock>();
const newPrograms = new WeakMap<HybridBlock, Map<string, number>>(); // by input: how many more were new than were known

/** Whether what is found about a block is thrown in place of being said. Begins anew. */
export function setStrict(block: HybridBlock, isStrict: boolean): void {
  if (isStrict) strict.add(block);
  else strict.delete(block);
  told.delete(block);
  newPrograms.delete(block);
}

let layerUnderWay: () => { block: HybridBlock; layer: string } | null = () => null;

/** Sets who knows the hybridized block whose forward is under way, and the layer in it that computes now. */
export function setLayerUnderWay(look: typeof layerUnderWay): void {
  layerUnderWay = look;
}

/** A pending value is about to be read; call what this returns once it has been. */
export function noteRead(): () => void {
  const found = layerUnderWay();
  if (!found) return () => {};
  const at = callerText();
  return () =>
    tell(
      found.block,
      strict.has(found.block),
      `in layer ${found.layer}: forward reads the value of a tensor${at}, which splits the program of the hybridized block in two.`,
      'Keep the computation in tensors, or read after the forward pass.',
    );
}

/** A program of this block has run, for this input; `isNew`: it had to be planned. */
export function noteProgram(block: HybridBlock, input: string, isNew: boolean): void {
  const counts = newPrograms.get(block) ?? new Map<string, number>();
  newPrograms.set(block, counts);
  const count = Math.max(0, (counts.get(input) ?? 0) + (isNew ? 1 : -1));
  counts.set(input, count);
  if (count <= maxNewPrograms) return;
  counts.clear();
  const isStrict = strict.has(block);
  block.hybridize(false);
  tell(
    block,
    isStrict,
    `the hybridized block '${block.name}' computes something else at almost every call with an input of ${input}: ${count} more programs were planned than used again.`,
    'It runs op by op from here on, as after hybridize(false). Attributes that change (a rate, a size) belong into tensors.',
  );
}

function tell(block: HybridBlock, isStrict: boolean, fact: string, remedy: string): void {
  if (isStrict) throw new ConfigError(`${fact} ${remedy}`, { block: block.name });
  if (told.has(block)) return;
  told.add(block);
  process.emitWarning(`${fact} ${remedy}`, { code: 'RESIDUA_CAPTURE' });
}

/** ' at file:line:column', where the library was called from; '' where the stack does not tell. */
function callerText(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  const frame = frames.find((line) => !line.includes(library) && !line.includes('node:'));
  const place = frame?.match(/\(?((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/)?.[1];
  return place ? ` at ${place.replace('file://', '')}` : '';
}
