// What bottlenecks of both forms are made with.
import { checkChoice, checkInteger } from '../options.js';
import { checkBlockOptions, type ResidualBlockOptions } from './residual-parts.js';

/** Output channels of a bottleneck for one of its `width`. */
export const expansion = 4;

export interface BottleneckOptions extends ResidualBlockOptions {
  /** Groups of the 3x3 convolution. Default 1; 32 in ResNeXt. */
  groups?: number;
  /** Channels a group of the 3x3 convolution where width is 64, in proportion elsewhere. Default 64. */
  widthPerGroup?: number;
}

/** The options with their defaults, checked; `inner`: channels of the 3x3 convolution. */
export function checkBottleneckOptions(
  where: string,
  width: number,
  options: BottleneckOptions & { stridesOn?: '1x1' | '3x3' },
  more: readonly string[] = [],
) {
  const checked = checkBlockOptions(where, options, ['groups', 'widthPerGroup', ...more]);
  checkInteger(where, 'width', width, 1);
  const groups = checkInteger(where, 'groups', options.groups ?? 1, 1);
  const widthPerGroup = checkInteger(where, 'widthPerGroup', options.widthPerGroup ?? 64, 1);
  const stridesOn = checkChoice(where, 'stridesOn', options.stridesOn ?? '3x3', ['1x1', '3x3']);
  const inner = Math.max(1, Math.floor((width * widthPerGroup) / 64)) * groups;
  return { ...checked, groups, inner, stridesOn };
}
