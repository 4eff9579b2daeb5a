// residua predict: the likeliest classes of images: files, folders, standard input.
import { Command } from 'commander';
import { currentDevice, type Device, setTuning } from '../../device.js';
import { checkPrecisionOn, type Precision, setPrecision } from '../../precision.js';
import { afterHelp } from '../after-help.js';
import { exitStatus } from '../exit-status.js';
import { percent } from '../format.js';
import { imageSources, standardInput } from '../image-sources.js';
import { deviceName, noTuneOption, positiveInteger, precisionOption } from '../options.js';
import { type Prediction, predictImages } from '../prediction.js';
import { printable } from '../printable.js';
import { openSavedNet, type SavedNetOptions } from '../saved-net.js';
import { addSavedNetOptions } from '../saved-net-options.js';

interface PredictOptions extends SavedNetOptions {
  filesFrom?: string;
  weights?: string;
  json?: boolean;
  top: number;
  device?: Device;
  precision: Precision;
  tune: boolean;
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Tells what is in images (JPEG, PNG, WebP): the likeliest classes and their probabilities.')
    .usage('[options] RUN FILE...\n       residua predict [options] --model NAME --weights WEIGHTS FILE...')
    .argument(
      '[run-and-files...]',
      "the folder of a run of residua train, then images, folders of images, or '-' for an image on standard input",
    )
    .option('--weights <file>', 'with --model, in place of RUN: safetensors or PyTorch (.pth), names are recognised');
  return addSavedNetOptions(command)
    .option('--files-from <list>', "more images: a file with a path in each line, or '-' for standard input")
    .option('--top <n>', 'how many classes an image', positiveInteger, 5)
    .option('--json', 'print a line of JSON an image')
    .option('--device <name>', "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else cpu)", deviceName)
    .addOption(precisionOption())
    .addOption(noTuneOption())
    .addHelpText(
      'after',
      afterHelp(
        'Images are turned upright and resized, and their middle is cut out. Folders are searched with all folders in them, sorted. ' +
          'One that cannot be decoded is reported on stderr; the others are done, and the exit status is 1. Lines of --json have `file` and ' +
          '`classes`, or `error`.',
        'With --files-from - predictions come as paths do: find photos -name "*.jpg" | residua predict RUN --files-from -',
      ),
    )
    .action(predict);
}

async function predict(given: string[], options: PredictOptions, command: Command): Promise<void> {
  const [source, ...paths] = options.weights === undefined ? given : [options.weights, ...given];
  if (options.weights !== undefined && options.model === undefined) command.error('error: --weights needs --model');
  if (options.weights === undefined && options.model !== undefined) command.error('error: --model needs --weights');
  const { filesFrom } = options;
  if (source === undefined) command.error("error: missing required argument 'run-and-files'");
  if (paths.length === 0 && filesFrom === undefined)
    command.error("error: missing argument: images after the run's folder, or --files-from");
  if ([...paths, filesFrom].filter((path) => path === standardInput).length > 1)
    command.error("error: '-' can be given once: standard input is one image, or one list");
  const device = options.device ?? currentDevice();
  checkPrecisionOn(device, options.precision);
  setPrecision(options.precision);
  setTuning(options.tune);
  const saved = await openSavedNet(source, options, device);
  for await (const prediction of predictImages(saved, imageSources(paths, filesFrom), options.top, device))
    report(prediction, options.json === true);
}

/** One line; and for a broken image one on stderr. */
function report(prediction: Prediction, json: boolean): void {
  if ('error' in prediction) {
    process.exitCode = exitStatus.failed;
    process.stderr.write(`error: ${printable(prediction.error)}\n`);
  }
  if (json) console.log(JSON.stringify(prediction));
  else if ('classes' in prediction) {
    const classes = prediction.classes.map(({ name, probability }) => `${name} ${percent(probability, 1)}`);
    console.log(printable(`${prediction.file}: ${classes.join(', ')}`));
  }
}
