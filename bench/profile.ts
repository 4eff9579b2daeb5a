// Where a step's time goes, group by group and op by op, with GFLOP/s and the share of the machine's measured peak.
// Writes bench/results/profile-<model>-<task>-<precision>.json.
// npm run bench -- profile [--model r18@96] [--task training] [--batch 256] [--precision float32] [--steps 3] [--out FILE]
import { profile, setPrecision, setThreads } from '../lib/index.js';
import { integer, main, parseOptions, words } from './arguments.js';
import { runScript, writeResult } from './harness.js';
import { makeStep, type Task, tasks } from './make-step.js';
import { modelOf } from './models.js';
import type { Peak } from './peak.js';
import { groupSums, type ProfileRow, rowsOf } from './profile/groups.js';

const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** GFLOP/s, and the share of the peak where that is known. */
function speed(gflop: number, milliseconds: number, peak: number | undefined) {
  const gflops = milliseconds > 0 ? gflop / (milliseconds / 1000) : 0;
  return { gflops: round(gflops), shareOfPeak: peak && gflops > 0 ? round(gflops / peak, 3) : null };
}

function line(name: string, milliseconds: number, share: number, rate: ReturnType<typeof speed>): string {
  const percent = (value: number | null): string => (value === null ? '' : `${round(value * 100)}%`);
  const cells = [`${milliseconds.toFixed(2)} ms`, percent(share), rate.gflops ? `${rate.gflops} GFLOP/s` : ''];
  return [
    ...cells.map((cell, i) => cell.padStart([11, 8, 16][i]!)),
    percent(rate.shareOfPeak).padStart(8),
    ` ${name}`,
  ].join('');
}

async function run(): Promise<void> {
  const values = parseOptions({
    model: { type: 'string', default: 'r18@96' },
    task: { type: 'string', default: 'training' },
    batch: { type: 'string', default: '256' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '3' },
    out: { type: 'string', default: '' },
    'no-peak': { type: 'boolean', default: false },
  });
  const [task] = words('task', values.task, tasks) as [Task];
  const [precision] = words('precision', values.precision, ['float32', 'bfloat16']) as ['float32' | 'bfloat16'];
  const [steps, batch] = [integer('steps', values.steps), integer('batch', values.batch)];
  const threads = integer('threads', values.threads);
  const model = modelOf(values.model);
  const outcome = values['no-peak'] ? null : runScript<Peak>('peak.ts', ['--json', '--threads', String(threads)]);
  if (outcome && 'failed' in outcome) throw new Error(`The peak could not be measured: ${outcome.failed}`);
  const peak = outcome?.result ?? null;
  const peakFor = (bfloat16: boolean): number | undefined => peak?.[bfloat16 ? 'bfloat16' : 'float32']?.gflops;

  setThreads(threads);
  setPrecision(precision);
  const step = makeStep(model, task, batch);
  for (let i = 0; i < 3; i++) await step(); // plans, tunes, touches memory
  const rows: ProfileRow[] = rowsOf(
    await profile(async () => {
      for (let i = 0; i < steps; i++) await step();
    }),
    steps,
  );
  const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  const gflop = rows.reduce((sum, row) => sum + row.gflop, 0);

  process.stdout.write(`${model.title}, ${task}, batch ${batch}, ${precision}, ${threads} threads: a step\n`);
  const stepSpeed = speed(gflop, total, peakFor(precision === 'bfloat16'));
  process.stdout.write(`${line('all ops', total, 1, stepSpeed)}\n\n`);
  const sums = groupSums(rows).map((sum) => ({
    ...sum,
    ...speed(sum.gflop, sum.milliseconds, peakFor(precision === 'bfloat16')),
  }));
  for (const sum of sums) process.stdout.write(`${line(sum.group, sum.milliseconds, sum.milliseconds / total, sum)}\n`);
  process.stdout.write('\n');
  const ops = rows.map((row) => ({ ...row, ...speed(row.gflop, row.milliseconds, peakFor(row.bfloat16)) }));
  for (const row of ops) {
    const text = `${round(row.count)}x ${row.op} ${row.shapes} ${row.algorithm}`;
    process.stdout.write(`${line(text, row.milliseconds, row.milliseconds / total, row)}\n`);
  }
  writeResult(
    `profile-${values.model}-${task}-${precision}`,
    {
      model: values.model,
      task,
      batch,
      precision,
      threads,
      steps,
      peak,
      milliseconds: round(total, 2),
      ...stepSpeed,
      groups: sums,
      ops,
    },
    values.out,
  );
}

await main(run);
