// Ops in a row against PyTorch: the layout that one op chooses arrives at the next.
import type { Tensor } from '../../lib/index.js';
import { callOp } from '../helpers/call-op.js';
import { testFixtures } from '../helpers/fixture-tests.js';

type Line = [op: string, inputs: string[], options: Record<string, unknown>, output: string];

/** Runs a program of scripts/fixtures/chains.py; the last output is the result. */
function runProgram(inputs: Record<string, Tensor>, program: Line[]): Tensor {
  const values = { ...inputs };
  for (const [op, names, options, output] of program) {
    const tensors = names.map((name) => values[name]);
    values[output] = callOp(op, tensors, options);
  }
  return values.y as Tensor;
}

testFixtures('chains', (inputs, { program }: { program: Line[] }) => runProgram(inputs, program), {
  rtol: 1e-3,
  atol: 1e-4,
});
