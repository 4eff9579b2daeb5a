// Training and inference steps of residua and its peers, in turn in one run; prints tables, writes
// bench/results/<task>-<device>.json with all figures and a chart beside it. Compared within one precision.
// npm run bench -- compare [--models r18@96,r18@28,resnet50@224] [--tasks training,inference] [--batch 256,1] [--threads 2,1]
//   [--precisions float32,bfloat16] [--rounds 2] [--steps 7] [--min-seconds 2] [--device cpu]
//   [--peers eager,compiled,eager-default-malloc,compiled-default-malloc | none] [--tensorflow-js] [--out FILE]
import { main } from './arguments.js';
import { type Case, compareOptions, titleOf } from './compare/cases.js';
import { type Contestant, contestantsOf } from './compare/contestants.js';
import { writeCases } from './compare/results.js';
import { type CaseResult, summarise } from './compare/summary.js';
import { tableOf } from './compare/table.js';
import { circumstances, type Outcome, runScript, type StepRun } from './harness.js';
import { workOf } from './model-work.js';
import { modelOf } from './models.js';
import type { Peak } from './peak.js';

/** The peak for each number of threads; nothing for a GPU. */
function peaksFor(cases: readonly Case[], device: string): Map<number, Peak> {
  const peaks = new Map<number, Peak>();
  if (device !== 'cpu') return peaks;
  for (const threads of new Set(cases.map((each) => each.threads))) {
    const outcome = runScript<Peak>('peak.ts', ['--json', '--threads', String(threads)]);
    if ('failed' in outcome) throw new Error(`The machine's peak could not be measured: ${outcome.failed}`);
    peaks.set(threads, outcome.result);
    const { float32, bfloat16 } = outcome.result;
    const half = bfloat16 ? `, ${bfloat16.gflops} in bfloat16` : '';
    process.stdout.write(`Peak with ${threads} thread(s): ${float32.gflops} GFLOP/s in float32${half}\n`);
  }
  return peaks;
}

/** Runs the contestants in turn, round after round. Who failed is not asked again. */
function runCase(each: Case, contestants: readonly Contestant[], rounds: number): Map<string, Outcome<StepRun>[]> {
  const runs = new Map(contestants.map(({ name }) => [name, [] as Outcome<StepRun>[]]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, once, run } of contestants) {
      const own = runs.get(name) as Outcome<StepRun>[];
      if (own.some((outcome) => 'failed' in outcome) || (once && own.length > 0)) continue;
      const outcome = run(each);
      own.push(outcome);
      if ('failed' in outcome) process.stderr.write(`${titleOf(each)}: ${name}: ${outcome.failed}\n`);
    }
  }
  return runs;
}

await main(() => {
  const options = compareOptions();
  const contestants = contestantsOf(options);
  const peaks = peaksFor(options.cases, options.device);
  const results: CaseResult[] = [];
  for (const each of options.cases) {
    const runs = runCase(each, contestants, options.rounds);
    const result = summarise(each, runs, {
      ...circumstances(),
      rounds: options.rounds,
      steps: options.steps,
      gflopPerImage: workOf(modelOf(each.model))[each.task],
      peakGflops: peaks.get(each.threads)?.[each.precision]?.gflops ?? null,
    });
    process.stdout.write(`\n${tableOf(result)}\n`);
    results.push(result);
    writeCases(results, options.device === 'cpu' ? 'cpu' : 'gpu', options.out); // what is done is kept where a later case fails
  }
  if (results.some(({ rows }) => !rows.some(({ name }) => name === 'residua'))) process.exitCode = 1;
});
