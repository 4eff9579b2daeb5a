// Softmax, its logarithm and the cross entropy against PyTorch, logits up to 10000 included.
import { ops } from '../../lib/index.js';
import { testFixtures } from '../helpers/fixture-tests.js';

for (const op of ['softmax', 'logSoftmax'] as const)
  testFixtures(op, ({ x }, { axis }: { axis: number }) => ops[op](x, axis));
testFixtures('softmaxCrossEntropy', ({ logits, labels }, options: ops.SoftmaxCrossEntropyOptions) =>
  ops.softmaxCrossEntropy(logits, labels, options),
);
