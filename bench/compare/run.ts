// Measures cases: all contestants in turn, figures on the screen and in the result files.
import { circumstances, type Outcome, runScript, type StepRun } from '../harness.js';
import { workOf } from '../model-work.js';
import { modelOf } from '../models.js';
import type { Peak } from '../peak.js';
import { type Case, type CompareOptions, titleOf } from './cases.js';
import { type Contestant, contestantsOf } from './contestants.js';
import { writeCases } from './results.js';
import { type CaseResult, summarise } from './summary.js';
import { tableOf } from './table.js';

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
  for (const { prepare } of contestants) prepare?.(each);
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

/** Runs all cases. `prefix`: what the names of the result files begin with. */
export function runComparison(options: CompareOptions, prefix = ''): void {
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
    writeCases(results, options.device === 'cpu' ? 'cpu' : 'gpu', options.out, prefix); // what is done is kept where a later case fails
  }
  if (results.some(({ rows }) => !rows.some(({ name }) => name === 'residua'))) process.exitCode = 1;
}
