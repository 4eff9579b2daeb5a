// Round numbers for axes.

export interface Axis {
  /** The first and the last tick, in this order. */
  from: number;
  to: number;
  ticks: number[];
}

export interface AxisOptions {
  /** About how many ticks. */
  count: number;
  /** Whether the ticks are whole numbers. */
  whole?: boolean;
}

/** An axis of round numbers that holds everything between `least` and `most`. */
export function niceAxis(least: number, most: number, options: AxisOptions): Axis {
  const spread = most - least || Math.abs(most) * 0.1 || 1;
  const step = roundStep(spread / options.count, options.whole ?? false);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(Math.ceil(most / step - 1e-9), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { from: ticks[0] as number, to: ticks.at(-1) as number, ticks };
}

/** Ticks between `least` and `most`, which are the ends of the axis themselves. */
export function ticksWithin(least: number, most: number, options: AxisOptions): Axis {
  const ticks = niceAxis(least, most, options).ticks.filter((tick) => tick >= least && tick <= most);
  return { from: least, to: most, ticks: ticks.length > 0 ? ticks : [least] };
}

/** The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `rough`. */
function roundStep(rough: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((each) => each * power >= rough * (1 - 1e-9)) as number;
  const step = factor * power;
  if (!whole) return step;
  return step < 1 ? 1 : Number.isInteger(step) ? step : 5 * power; // 2.5 at a power of 1
}
