// Ops that move or convert values, against PyTorch: reshape, broadcastTo, resizeBilinear, cast.
import { type DType, ops } from '../../lib/index.js';
import { testFixtures } from '../helpers/fixture-tests.js';

testFixtures('reshape', ({ x }, { shape }: { shape: number[] }) => ops.reshape(x, shape), { rtol: 0, atol: 0 });
testFixtures('broadcastTo', ({ x }, { shape }: { shape: number[] }) => ops.broadcastTo(x, shape));
testFixtures('resizeBilinear', ({ x }, options: ops.ResizeOptions) => ops.resizeBilinear(x, options));
testFixtures('cast', ({ x }, { dtype }: { dtype: DType }) => ops.cast(x, dtype), { rtol: 0, atol: 0 });
