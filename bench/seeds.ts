// Means over trainings with several seeds, and how sure they are.

/** A mean or a ratio with its standard error; null for a single value, which says nothing of that. */
export interface Estimate {
  value: number;
  error: number | null;
}

const rounded = (value: number, error: number | null): Estimate => ({
  value: Number(value.toFixed(5)),
  error: error === null ? null : Number(error.toFixed(5)),
});

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The variance of the mean of `values`: their sample variance by their number. */
function varianceOfMean(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / values.length;
}

export function meanWithError(values: readonly number[]): Estimate {
  const variance = varianceOfMean(values);
  return rounded(mean(values), variance === null ? null : Math.sqrt(variance));
}

/**
 * The ratio of the means of two lists that belong together value by value. Its standard error is, to first order, that of the mean of
 * a - ratio * b, by the mean of b (Cochran, Sampling Techniques, section 2.11).
 */
export function ratioOfMeans(a: readonly number[], b: readonly number[]): Estimate {
  const ratio = mean(a) / mean(b);
  const variance = varianceOfMean(a.map((value, i) => value - ratio * (b[i] as number)));
  return rounded(ratio, variance === null ? null : Math.sqrt(variance) / mean(b));
}
