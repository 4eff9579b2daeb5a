// The options of `serve`: what they mean, their defaults, their checks.
import { currentDevice, Device } from '../device.js';
import { ConfigError, DeviceError } from '../errors.js';
import { checkChoice, checkInteger, checkNumber, checkOptions } from '../options.js';
import { checkPrecisionOn, currentPrecision, type Precision, precisions } from '../precision.js';
import type { ImageInput } from './image-classifier.js';

export interface ServeOptions extends ImageInput {
  /** What the page and /model call the net. Default 'net'. */
  name?: string;
  /** Address to listen on. Default 127.0.0.1: this machine alone. */
  host?: string;
  /** 0: one that is free. Default 8080. */
  port?: number;
  /** The most images that run together. Default 32. */
  maxBatch?: number;
  /** The longest that an image waits for others to run with, in milliseconds. Default 5. */
  maxDelay?: number;
  /** The most bytes of an image file. Default 10 MiB. */
  maxBytes?: number;
  /** The most pixels of an image, before it is resized. Default 50 million. */
  maxPixels?: number;
  /** The most requests for a prediction at a time; further ones are refused (503). Default 128. */
  maxQueue?: number;
  /** The longest that a request may take to arrive, in milliseconds. Default 30,000. */
  bodyTimeout?: number;
  /** Default: that of `setDevice`. The net's parameters must be there. */
  device?: Device;
  /** Default: that of `setPrecision`. */
  precision?: Precision;
  /** Told what makes a request fail with status 500. Default: a warning of the process. */
  onError?: (error: unknown) => void;
}

export const serveDefaults = {
  name: 'net',
  host: '127.0.0.1',
  port: 8080,
  maxBatch: 32,
  maxDelay: 5,
  maxBytes: 10 * 2 ** 20,
  maxPixels: 50_000_000,
  maxQueue: 128,
  bodyTimeout: 30_000,
} as const;

const longestTimer = 2 ** 31 - 1; // of Node's timers

type Defaulted = keyof typeof serveDefaults | 'device' | 'precision' | 'onError' | 'resize' | 'classNames';

/** All options, with the defaults where nothing was given. */
export type FullServeOptions = ServeOptions & Required<Pick<ServeOptions, Defaulted>>;

const names: readonly string[] = [
  ...Object.keys(serveDefaults),
  ...['inputShape', 'resize', 'classNames', 'normalization', 'device', 'precision', 'onError'],
];

/** Throws ConfigError, DeviceError and DTypeError. */
export function fullServeOptions(options: ServeOptions): FullServeOptions {
  const where = 'serve()';
  checkOptions(where, options, names);
  checkInputShape(options.inputShape);
  const [, height, width] = options.inputShape;
  const defaults = {
    ...serveDefaults,
    device: currentDevice(),
    precision: currentPrecision(),
    resize: Math.max(height, width),
    classNames: [],
    onError: (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)),
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const full: FullServeOptions = { ...defaults, inputShape: options.inputShape, ...Object.fromEntries(given) };
  checkInteger(where, 'resize', full.resize, Math.max(height, width));
  checkNumber(where, 'port', checkInteger(where, 'port', full.port, 0), { max: 65535 });
  for (const name of ['maxBatch', 'maxBytes', 'maxPixels', 'maxQueue', 'bodyTimeout'] as const)
    checkInteger(where, name, full[name], 1);
  checkNumber(where, 'maxDelay', full.maxDelay, { min: 0, max: longestTimer });
  checkNumber(where, 'bodyTimeout', full.bodyTimeout, { max: longestTimer });
  checkChoice(where, 'precision', full.precision, precisions);
  if (!(full.device instanceof Device))
    throw new DeviceError(`${where} expected device to be a Device such as cpu(), got ${typeof full.device}.`);
  checkPrecisionOn(full.device, full.precision);
  return full;
}

function checkInputShape(shape: unknown): void {
  const fits = Array.isArray(shape) && shape.length === 3 && shape.every((d) => Number.isSafeInteger(d) && d >= 1);
  if (fits && (shape[0] === 1 || shape[0] === 3)) return;
  throw new ConfigError(
    `serve() expected inputShape to be [channels, height, width] with 1 or 3 channels, got ${JSON.stringify(shape)}.`,
    { argument: 'inputShape', found: shape },
  );
}
