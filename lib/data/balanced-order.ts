// The order of an epoch in which every class comes equally often.
import { SampleRandom } from './sample-random.js';

const noPosition = 2 ** 32 - 2; // no sample has it, so an epoch's order has numbers of its own

/**
 * As many rows as there are labels, each class as often as the others, or once more. Rows of a class that has too few come again, all of
 * them equally often, or once more; of one that has too many, a random part comes.
 */
export function balancedOrder(
  labels: ArrayLike<number>,
  { seed, stream }: { seed: number; stream: number },
  epoch: number,
): Int32Array {
  const random = new SampleRandom({ seed, stream, epoch, position: noPosition });
  const rows = rowsByClass(labels);
  const classes = random.shuffle([...rows.keys()].sort((a, b) => a - b)); // the first ones come once more
  const order = new Int32Array(labels.length);
  let at = 0;
  for (const [i, label] of classes.entries()) {
    const share = Math.floor(labels.length / classes.length) + (i < labels.length % classes.length ? 1 : 0);
    const ofClass = rows.get(label) as number[];
    for (let drawn = 0; drawn < share; drawn++) {
      if (drawn % ofClass.length === 0) random.shuffle(ofClass);
      order[at++] = ofClass[drawn % ofClass.length] as number;
    }
  }
  return random.shuffle(order);
}

/** Row numbers of each class that has any. */
export function rowsByClass(labels: ArrayLike<number>): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    const ofClass = rows.get(label);
    if (ofClass) ofClass.push(row);
    else rows.set(label, [row]);
  }
  return rows;
}
