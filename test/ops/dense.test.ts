// dense against PyTorch.
import { ops } from '../../lib/index.js';
import { testFixtures } from '../helpers/fixture-tests.js';

testFixtures('dense', ({ x, w, b }) => ops.dense(x, w, b), { atol: 2e-5 });
