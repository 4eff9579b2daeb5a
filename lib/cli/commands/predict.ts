// residua predict: the likeliest classes of image files.
import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { currentDevice, type Device } from '../../device.js';
import { DataError } from '../../errors.js';
import { checkPrecisionOn, type Precision, setPrecision } from '../../precision.js';
import { exitStatus } from '../exit-status.js';
import { percent } from '../format.js';
import { deviceName, positiveInteger, precisionOption } from '../options.js';
import type { Prediction } from '../prediction.js';
import { openSavedNet, type SavedNetOptions } from '../saved-net.js';
import { addSavedNetOptions } from '../saved-net-options.js';

interface PredictOptions extends SavedNetOptions {
  weights?: string;
  json?: boolean;
  top: number;
  device?: Device;
  precision: Precision;
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Tells what is in image files (JPEG, PNG, WebP): the likeliest classes and their probabilities.')
    .usage('[options] RUN FILE...\n       residua predict [options] --model NAME --weights WEIGHTS FILE...')
    .argument('<run-and-files...>', 'the folder of a run of residua train, then images and folders of images')
    .option('--weights <file>', 'with --model, in place of RUN: safetensors or PyTorch (.pth), names are recognised');
  return addSavedNetOptions(command)
    .option('--top <n>', 'how many classes an image', positiveInteger, 5)
    .option('--json', 'print a line of JSON an image')
    .option('--device <name>', "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else cpu)", deviceName)
    .addOption(precisionOption())
    .addHelpText(
      'after',
      '\nImages are turned upright and resized, and their middle is cut out. One that cannot be decoded is reported on stderr;\n' +
        'the others are done, and the exit status is 1.',
    )
    .action(predict);
}

async function predict(given: string[], options: PredictOptions, command: Command): Promise<void> {
  const [source, ...paths] = options.weights === undefined ? given : [options.weights, ...given];
  if (options.weights !== undefined && options.model === undefined) command.error('error: --weights needs --model');
  if (options.weights === undefined && options.model !== undefined) command.error('error: --model needs --weights');
  if (paths.length === 0) command.error("error: missing argument: image files after the run's folder");
  const device = options.device ?? currentDevice();
  checkPrecisionOn(device, options.precision);
  setPrecision(options.precision);
  const { predictFiles } = await import('../prediction.js'); // with sharp, which no other command should wait for
  const [saved, files] = await Promise.all([openSavedNet(source as string, options, device), imageFiles(paths)]);
  saved.net.hybridize();
  for await (const prediction of predictFiles(saved, files, options.top, device))
    report(prediction, options.json === true);
}

/** The files themselves, and the images in folders. What is not there counts as a file, and is reported as one. */
async function imageFiles(paths: readonly string[]): Promise<string[]> {
  const { defaultExtensions, findImages } = await import('../../data/image-folder.js');
  const found = await Promise.all(
    paths.map(async (path) => {
      const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
      if (!isFolder) return [path];
      const images = await findImages(path, new Set(defaultExtensions));
      if (images.length > 0) return images.map(({ file }) => file);
      const extensions = defaultExtensions.join(', ');
      throw new DataError(`${path}: expected images (${extensions}) in the folder, found none.`, {
        file: path,
        expected: extensions,
        found: 0,
      });
    }),
  );
  return found.flat();
}

/** One line; and for a broken image one on stderr. */
function report(prediction: Prediction, json: boolean): void {
  if ('error' in prediction) {
    process.exitCode = exitStatus.failed;
    process.stderr.write(`error: ${prediction.error}\n`);
  }
  if (json) console.log(JSON.stringify(prediction));
  else if ('classes' in prediction) {
    const classes = prediction.classes.map(({ name, probability }) => `${name} ${percent(probability, 1)}`);
    console.log(`${prediction.file}: ${classes.join(', ')}`);
  }
}
