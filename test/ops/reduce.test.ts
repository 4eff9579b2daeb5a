// Reductions against PyTorch, over every set of axes.
import { ops } from '../../lib/index.js';
import { testFixtures } from '../helpers/fixture-tests.js';

for (const op of ['sum', 'mean'] as const) {
  testFixtures(op, ({ x }, { axis, keepDims }: { axis: number[] | null; keepDims: boolean }) =>
    ops[op](x, axis ?? undefined, { keepDims }),
  );
}
testFixtures('argmax', ({ x }, { axis }: { axis: number }) => ops.argmax(x, axis));
