// residua report: writes a run's report.html anew, from the files in its folder.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { buildRun } from '../../config/index.js';
import { currentDevice, type Device, setDevice } from '../../device.js';
import { CheckpointError, ResiduaError } from '../../errors.js';
import { loadWeights } from '../../interop/index.js';
import { type Mistake, mistakesShown, worstMistakes, writeReport } from '../../report/index.js';
import { afterHelp } from '../after-help.js';
import { netRecordIn } from '../net-record.js';
import { deviceName } from '../options.js';
import { type RunFolder, runFolder } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';

export function reportCommand(): Command {
  return new Command('report')
    .description("Writes a run's report.html anew, that of an interrupted run too: curves, confusion, worst mistakes.")
    .argument('<run>', 'the folder of a run, as residua train writes it')
    .option(
      '--device <name>',
      "'cpu', 'gpu' or 'gpu(N)', to find the worst mistakes on (default: RESIDUA_DEVICE, else cpu)",
      deviceName,
    )
    .addHelpText(
      'after',
      afterHelp("Without the run's weights or its data the pictures of the worst mistakes are left out."),
    )
    .action(report);
}

async function report(run: string, options: { device?: Device }): Promise<void> {
  const folder = runFolder(run);
  const record = await readRecord(folder);
  const mistakes = await mistakesOf(record, folder, options.device ?? currentDevice());
  console.log(await writeReport(folder.path, { record, mistakes }));
}

async function readRecord({ path, history }: RunFolder): Promise<RunRecord> {
  if (!existsSync(history))
    throw new CheckpointError(
      `${path}: expected the folder of a run, found no history.json in it. 'residua train' writes such folders.`,
      { file: history },
    );
  const record = parse(history, await readFile(history, 'utf8'));
  netRecordIn(history, record);
  const { config, epochs } = record as Partial<RunRecord>;
  if (typeof config?.optimizer === 'object' && Array.isArray(epochs)) return record as RunRecord;
  throw new CheckpointError(
    `${history}: expected the record of a run with 'epochs' and 'config.optimizer', as this version writes it. 'residua compare' reads those of earlier versions.`,
    { file: history, expected: ['epochs', 'config.optimizer'] },
  );
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${file}: expected JSON: ${(cause as Error).message}`, { file }, { cause });
  }
}

/** From the validation images, seen by the run's net once more; none, and a sentence, where these are not there. */
async function mistakesOf({ config }: RunRecord, { weights }: RunFolder, device: Device): Promise<Mistake[]> {
  try {
    setDevice(device);
    const { net, train, validation } = await buildRun(config, {
      device,
      prepareNet: async (net) => {
        await loadWeights(net, weights);
      },
    });
    try {
      if (validation === null) return [];
      return await worstMistakes(net, validation, mistakesShown, device, { precision: config.precision });
    } finally {
      await Promise.all([train.dispose(), validation?.dispose()]);
    }
  } catch (error) {
    if (!(error instanceof ResiduaError)) throw error;
    process.stderr.write(`The pictures of the worst mistakes are left out. ${error.message}\n`);
    return [];
  }
}
