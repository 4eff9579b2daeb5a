// The table of a net's layers, as deep as is usual for it.
import type { Block } from '../nn/index.js';
import { chapterModel } from './build-net.js';

/** `depth`: levels of layers. Default: all of the chapter's net, the stages of others. */
export function netSummary(net: Block, model: string, input: readonly number[], depth?: number): string {
  return net.summary(input, { depth: depth ?? (model === chapterModel ? Infinity : 1) });
}
