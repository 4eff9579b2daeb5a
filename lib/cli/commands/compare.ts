// residua compare: the results, curves and configs of runs beside each other.
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError } from '../../errors.js';
import { type ComparedRun, readRuns } from '../../report/compared-run.js';
import { bestEpochOf, configDifferences, configRows, type Row, resultRows } from '../../report/comparison.js';
import { table } from '../table.js';

interface CompareOptions {
  json?: boolean;
  html?: string;
  svg?: string;
}

export function compareCommand(): Command {
  return new Command('compare')
    .description('Shows the results of runs beside each other, and where their configs differ.')
    .argument('<run>', 'folder of a run, as residua train writes it')
    .argument('<others...>', 'folders of the runs to compare it with')
    .option('--json', 'print JSON')
    .option('--html <file>', "write a page with the runs' curves, results and configs")
    .option('--svg <file>', "write a picture of the runs' curves")
    .action(compare);
}

async function compare(run: string, others: string[], options: CompareOptions): Promise<void> {
  const runs = await readRuns([run, ...others]);
  console.log(options.json ? JSON.stringify(asJson(runs), null, 2) : asText(runs));
  if (options.html !== undefined) {
    const { comparisonHtml } = await import('../../report/comparison-page.js');
    write('--html', options.html, comparisonHtml(runs));
  }
  if (options.svg !== undefined) {
    const { comparisonSvg } = await import('../../report/comparison-picture.js'); // with vega, which takes time to load
    write('--svg', options.svg, await comparisonSvg(runs));
  }
}

function asText(runs: readonly ComparedRun[]): string {
  const header = ['', ...runs.map(({ name }) => name)];
  const asTable = (rows: readonly Row[]): string =>
    table(
      header,
      rows.map(([name, values]) => [name, ...values]),
    );
  const different = configRows(runs);
  const config = different.length === 0 ? 'The configs are the same.' : `Config that differs:\n${asTable(different)}`;
  return `${asTable(resultRows(runs))}\n\n${config}`;
}

function asJson(runs: readonly ComparedRun[]): object {
  return {
    runs: runs.map((run) => {
      const { config: _, hasPartialConfig: __, epochs, ...facts } = run;
      const best = bestEpochOf(run);
      return {
        ...facts,
        best: best ? { epoch: best.epoch, top1: best.top1, top5: best.top5 } : null,
        last: epochs.at(-1) ?? null,
        epochs,
      };
    }),
    config: Object.fromEntries(
      [...configDifferences(runs)].map(([key, values]) => [key, values.map((value) => value ?? null)]),
    ),
  };
}

function write(option: string, file: string, contents: string): void {
  try {
    writeFileSync(file, contents);
  } catch (cause) {
    const message = `${option} expected a file that can be written, got '${file}': ${(cause as Error).message}`;
    throw new ConfigError(message, { argument: option, file }, { cause });
  }
  process.stderr.write(`Wrote ${file}\n`);
}
