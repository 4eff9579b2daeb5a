// `npm run plan:graphs`: plans every cuDNN graph that the networks need for an H100, without one, and lists engines,
// workspaces and times to plan. Writes bench/results/cudnn-plans-h100.json.
import { allOps } from './cudnn-plans/ops.js';
import { type OpPlan, openPlanner } from './cudnn-plans/plan.js';
import { writeResult } from './harness.js';

function describe(plan: OpPlan): string {
  if (plan.failed) return `FAILED: ${plan.failed}`;
  if (!plan.engine) return `no engine: ${plan.refused?.join('; ')}`;
  const megabytes = ((plan.workspace ?? 0) / 1e6).toFixed(1);
  return `${plan.engine}${plan.alternative ? ` (${plan.alternative})` : ''}, ${megabytes} MB, ${plan.seconds?.toFixed(2)} s`;
}

const planner = await openPlanner();
if ('missing' in planner) {
  process.stderr.write(`${planner.missing}\n`);
  process.exit(1);
}
const plans = await planner.plan(allOps(), 'tf32');
for (const plan of plans) process.stdout.write(`${plan.op.padEnd(84)} ${describe(plan)}\n`);
const without = plans.filter(({ engine }) => !engine);
process.stdout.write(`${plans.length} ops, ${without.length} without an engine\n`);
const table = Object.fromEntries(plans.map((plan) => [plan.op, describe(plan)]));
writeResult('cudnn-plans-h100', { device: 'H100, described', cudnn: planner.cudnn, plans: table });
process.exitCode = without.length === 0 ? 0 : 1;
