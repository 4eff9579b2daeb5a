// The real cuDNN plans the graphs that the networks need for a described H100: no GPU is needed, the library is. Here one
// op of each kind, `npm run plan:graphs` plans them all. Skipped where cuDNN is neither there nor can be fetched.
import { beforeAll, describe, expect, test } from 'vitest';
import { representativeOps } from '../../bench/cudnn-plans/ops.js';
import { type OpPlan, openPlanner, type Planner } from '../../bench/cudnn-plans/plan.js';

const opened = await openPlanner();
const planner = 'missing' in opened ? null : opened;
const suffix = 'missing' in opened ? ` (skipped: ${opened.missing})` : '';

// What cuDNN has no engine for, and what the backend then does.
const refusals: Record<string, string> = {
  'batch_norm forward float32 add_relu 32 3 24 24': 'kernels of its own',
  'batch_norm backward bfloat16 relu 32 20 24 24': 'kernels of its own',
};

async function planAll(ops: readonly string[], precision: 'tf32' | 'exact'): Promise<Map<string, OpPlan>> {
  return new Map((await (planner as Planner).plan(ops, precision)).map((plan) => [plan.op, plan]));
}

describe.skipIf(!planner)(`cuDNN's plans for an H100${suffix}`, () => {
  const ops = representativeOps();
  const float32Convolutions = ops.filter((op) => /^conv2d \w+ float32 /.test(op));
  let plans = new Map<string, OpPlan>();
  let exactPlans = new Map<string, OpPlan>();
  beforeAll(async () => {
    plans = await planAll([...ops, ...Object.keys(refusals)], 'tf32');
    exactPlans = await planAll(float32Convolutions, 'exact');
  }, 300_000);

  test.each(ops)('%s has an engine', (op) => {
    const plan = plans.get(op);
    expect(plan?.failed).toBeUndefined();
    expect(plan?.engine, `refused: ${plan?.refused?.join('; ')}`).toMatch(/^engine \d+/);
    expect(plan?.workspace).toBeLessThanOrEqual(2 ** 30);
    expect(plan?.readsBack).toBe(true);
  });

  test.each(float32Convolutions)('%s has an engine without TF32', (op) => {
    const plan = exactPlans.get(op);
    expect(plan?.failed).toBeUndefined();
    expect(plan?.engine, `refused: ${plan?.refused?.join('; ')}`).toMatch(/^engine \d+/);
  });

  test('engines that use TF32 are left out where it is not allowed', () => {
    const wide = float32Convolutions.filter((op) => op.includes(' 64 24 24 '));
    expect(wide.length).toBeGreaterThan(2);
    for (const op of wide) expect(exactPlans.get(op)?.engine).not.toBe(plans.get(op)?.engine);
  });

  test.each(Object.entries(refusals))('%s has none: the backend takes %s', (op) => {
    const plan = plans.get(op);
    expect(plan?.failed).toBeUndefined();
    expect(plan?.engine).toBeUndefined();
    expect(plan?.refused).toHaveLength(1);
  });

  test('what is not a list of ops is said to be none', async () => {
    const wrong = ['conv2d sideways float32 none 1', 'batch_norm forward float32 none 1 8 4', 'sum 1'];
    for (const plan of (await planAll(wrong, 'tf32')).values()) {
      expect(plan.failed).toMatch(/^The list of ops expected .*, got '.*'\.$/);
    }
  });
});
