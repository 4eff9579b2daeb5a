// residua serve: a trained net behind HTTP, with a page to try it.
import { once } from 'node:events';
import { Command } from 'commander';
import { currentDevice, type Device, setTuning } from '../../device.js';
import { checkPrecisionOn, type Precision } from '../../precision.js';
import { serveDefaults } from '../../serve/serve-options.js';
import { afterHelp } from '../after-help.js';
import { describeError } from '../errors.js';
import { exitStatus } from '../exit-status.js';
import { interruptible } from '../interrupt.js';
import { deviceName, noTuneOption, positiveInteger, precisionOption, wholeNumber } from '../options.js';
import { openSavedNet, type SavedNetOptions } from '../saved-net.js';
import { addSavedNetOptions } from '../saved-net-options.js';
import { note } from '../train/note.js';

const portNumber = (text: string): number => wholeNumber(text, 0, 65535);

/** Up to a minute. */
const milliseconds = (text: string): number => wholeNumber(text, 0, 60_000);

interface ServeCommandOptions extends SavedNetOptions {
  host: string;
  port: number;
  maxBatch: number;
  maxDelay: number;
  maxBytes: number;
  maxPixels: number;
  maxQueue: number;
  bodyTimeout: number;
  device?: Device;
  precision: Precision;
  tune: boolean;
  verbose?: boolean;
}

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serves a trained net over HTTP: predictions as JSON, and a page where one drops a picture.')
    .argument(
      '<run-or-weights>',
      'the folder of a run of residua train, or with --model a file of weights (safetensors, .pth)',
    );
  return addSavedNetOptions(command)
    .option('--host <address>', 'where to listen; 0.0.0.0: on every network of this machine', serveDefaults.host)
    .option('--port <n>', '0: any that is free', portNumber, serveDefaults.port)
    .option('--max-batch <n>', 'the most images that run together', positiveInteger, serveDefaults.maxBatch)
    .option('--max-delay <ms>', 'the longest that an image waits for others', milliseconds, serveDefaults.maxDelay)
    .option('--max-bytes <n>', 'the most bytes of an image file', positiveInteger, serveDefaults.maxBytes)
    .option('--max-pixels <n>', 'the most pixels of an image', positiveInteger, serveDefaults.maxPixels)
    .option('--max-queue <n>', 'the most predictions in progress at a time', positiveInteger, serveDefaults.maxQueue)
    .option(
      '--body-timeout <ms>',
      'the longest that an image may take to arrive',
      positiveInteger,
      serveDefaults.bodyTimeout,
    )
    .option('--device <name>', "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else cpu)", deviceName)
    .addOption(precisionOption())
    .addOption(noTuneOption())
    .addHelpText(
      'after',
      afterHelp(
        'POST /predict?top=5 takes an image file as its body: curl --data-binary @FILE http://127.0.0.1:8080/predict',
        'GET / is the page, /model tells the net, /health is for load balancers, /metrics for Prometheus.',
        'Ctrl-C or SIGTERM: requests in flight are answered, then it ends (130 or 0); a second one ends it at once.',
        'There is no password and no TLS: where others can reach it, put a proxy before it.',
      ),
    )
    .action(serveNet);
}

async function serveNet(source: string, options: ServeCommandOptions): Promise<void> {
  const { device = currentDevice(), precision, host, port, maxBatch, maxDelay } = options;
  const { maxBytes, maxPixels, maxQueue, bodyTimeout } = options;
  checkPrecisionOn(device, precision);
  setTuning(options.tune);
  const { serve } = await import('../../serve/index.js'); // with a server, which no other command should wait for
  const { net, record } = await openSavedNet(source, options, device);
  const { model: name, inputShape, resize, classNames, normalization } = record;
  const server = await serve(net, {
    ...{ name, inputShape, resize, classNames, normalization, device, precision },
    ...{ host, port, maxBatch, maxDelay, maxBytes, maxPixels, maxQueue, bodyTimeout },
    onError: (error) => process.stderr.write(`${describeError(error, options.verbose === true)}\n`),
  });
  let bySigint = false;
  const remember = (): void => {
    bySigint = true;
  };
  process.once('SIGINT', remember);
  await interruptible(
    async (signal) => {
      console.log(`Serving ${name} on ${device} at ${server.url} (Ctrl-C stops it)`);
      await once(signal, 'abort');
      await server.close();
    },
    () => ({
      onFirst: () => note('Stopping: requests in flight are answered first; once more leaves at once.'),
      onSecond: () => note('Left at once.'),
    }),
  );
  process.off('SIGINT', remember);
  process.exitCode = bySigint ? exitStatus.interrupted : exitStatus.done;
}
