// Element by element against PyTorch: ReLU, and arithmetic with every kind of broadcasting.
import { ops } from '../../lib/index.js';
import { testFixtures } from '../helpers/fixture-tests.js';

testFixtures('relu', ({ x }) => ops.relu(x));
testFixtures('addRelu', ({ a, b }) => ops.addRelu(a, b));
for (const op of ['add', 'sub', 'mul', 'div', 'equal'] as const) testFixtures(op, ({ a, b }) => ops[op](a, b));
