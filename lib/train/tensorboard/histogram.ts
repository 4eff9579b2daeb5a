// Histograms of a tensor's values, as TensorBoard shows them.

/** Counts in buckets of equal width from `min` to `max`; the fields of HistogramProto. */
export interface Histogram {
  min: number;
  max: number;
  num: number;
  sum: number;
  sumSquares: number;
  /** The upper end of each bucket. */
  bucketLimit: number[];
  bucket: number[];
}

const buckets = 30; // as tf.summary.histogram has by default

/**
 * Values that are NaN or infinite are left out. Of more values than `most` so many are counted, evenly spaced.
 * Null where no value is left.
 */
export function histogramOf(values: ArrayLike<number>, most = Number.POSITIVE_INFINITY): Histogram | null {
  const counted = thinned(values, most).filter(Number.isFinite);
  if (counted.length === 0) return null;
  let [min, max, sum, sumSquares] = [Infinity, -Infinity, 0, 0];
  for (const value of counted) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
  }
  const facts = { min, max, num: counted.length, sum, sumSquares };
  if (min === max) return { ...facts, bucketLimit: [max], bucket: [counted.length] };
  const width = (max - min) / buckets;
  const bucket = new Array<number>(buckets).fill(0);
  for (const value of counted) {
    const index = Math.min(buckets - 1, Math.floor((value - min) / width)); // the largest value is in the last bucket
    bucket[index] = (bucket[index] as number) + 1;
  }
  const bucketLimit = bucket.map((_, i) => (i === buckets - 1 ? max : min + (i + 1) * width));
  return { ...facts, bucketLimit, bucket };
}

/** All of the values, or of more than `most` so many, evenly spaced. */
export function thinned(values: ArrayLike<number>, most: number): Float64Array {
  const length = Math.min(most, values.length);
  return Float64Array.from({ length }, (_, i) => values[Math.floor((i * values.length) / length)] as number);
}
