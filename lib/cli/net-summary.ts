// The table of a net's layers, as deep as is usual for it.
import type { Block } from '../nn/index.js';
import { chapterModel } from './build-net.js';
import { columnsOf } from './terminal.js';

/** `depth`: levels of layers. Default: all of the chapter's net, the stages of others. */
export function netSummary(net: Block, model: string, input: readonly number[], depth?: number): string {
  const levels = depth ?? (model === chapterModel ? Infinity : 1);
  return net.summary(input, { depth: levels, width: columnsOf(process.stdout) });
}
