// What a classifier confuses: counts of label against prediction, and what follows from them.

/** One class of a data set. Fractions are from 0 to 1; null where nothing is divided by nothing. */
export interface ClassMetrics {
  /** Of the images predicted as this class, the part that is. Null, as `recall`, where the loss is not finite. */
  precision: number | null;
  /** Of the images of this class, the part predicted as it. */
  recall: number | null;
  /** Images of this class. */
  images: number;
}

/** A classifier on a data set. Plain data. */
export interface ClassificationMetrics {
  images: number;
  /** Mean cross-entropy of an image, without smoothing. */
  loss: number;
  /** Fraction whose largest score is at the label. NaN where the loss is not finite: scores that are NaN are no prediction. */
  top1: number;
  /** Fraction with the label among the five largest scores. NaN as `top1`. */
  top5: number;
  classes: ClassMetrics[];
  /** Images by label (row) and prediction (column). An image whose scores are NaN is counted as of the first class, as argmax does. */
  confusion: number[][];
}

/** Whether the accuracies are figures: those in files of earlier versions may look like it where the loss, null then, was not finite. */
export const isFigure = ({ loss }: { loss: number | null }): boolean => Number.isFinite(loss);

/** Adds up batches of scores. */
export class ClassificationTotals {
  #images = 0;
  #lossSum = 0;
  #top5 = 0;
  #confusion: number[][] = [];

  /** scores [n, classes] in row-major order, labels [n]. Of equal scores the first counts as the largest. Returns the predictions [n]. */
  add(scores: ArrayLike<number>, labels: ArrayLike<number>): number[] {
    const classes = scores.length / labels.length;
    if (this.#confusion.length === 0)
      this.#confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    return Array.from(labels, (label, i) => {
      const row = Array.from({ length: classes }, (_, j) => scores[i * classes + j] as number);
      return this.#addOne(row, label);
    });
  }

  #addOne(row: readonly number[], label: number): number {
    const own = row[label] as number;
    const largest = Math.max(...row);
    const ahead = row.filter((score, j) => score > own || (score === own && j < label)).length;
    const counts = this.#confusion[label] as number[];
    const predicted = Math.max(row.indexOf(largest), 0); // NaN everywhere: the first, as argmax
    counts[predicted] = (counts[predicted] as number) + 1;
    this.#images += 1;
    this.#top5 += Number(ahead < 5);
    this.#lossSum += largest - own + Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0));
    return predicted;
  }

  get metrics(): ClassificationMetrics {
    const confusion = this.#confusion;
    const n = this.#images;
    const loss = this.#lossSum / n;
    const fraction = isFigure({ loss }) ? fractionOf : () => null;
    const columnSum = (j: number) => confusion.reduce((sum, row) => sum + (row[j] as number), 0);
    const classes = confusion.map((row, j) => {
      const images = row.reduce((sum, count) => sum + count, 0);
      const right = row[j] as number;
      return { precision: fraction(right, columnSum(j)), recall: fraction(right, images), images };
    });
    const right = confusion.reduce((sum, row, j) => sum + (row[j] as number), 0);
    const [top1, top5] = [fraction(right, n) ?? Number.NaN, fraction(this.#top5, n) ?? Number.NaN];
    return { images: n, loss, top1, top5, classes, confusion };
  }
}

const fractionOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
