// What history.json tells of the trained net: how to build it again, and what images must become before they enter it.
import { CheckpointError, ConfigError } from '../errors.js';
import type { Normalization } from '../interop/index.js';
import type { ModelOptions } from '../models/index.js';
import { netOf } from './build-net.js';

export interface NetRecord {
  /** Its name for `models.byName`. */
  model: string;
  /** Of its stem, where that is not what the name stands for. */
  stem?: 'imagenet' | 'cifar';
  /** Of the model, over what its name says; `classes`, the input's channels and `stem` above win over these. */
  options?: ModelOptions;
  /** Outputs. */
  classes: number;
  /** [channels, height, width]; one or three channels. */
  inputShape: readonly [number, number, number];
  /** Pixels of the shorter side of an image before its middle is cut out. */
  resize: number;
  /** By class number; empty where classes have no names. */
  classNames: readonly string[];
  /** What follows the division by 255, for each channel; undefined for nothing. */
  normalization?: Normalization;
}

/** The record of the net in a parsed history.json. Throws CheckpointError where it is missing or damaged. */
export function netRecordIn(file: string, history: unknown): NetRecord {
  const record = (history as { net?: unknown } | null)?.net;
  if (isNetRecord(record)) return record.options === undefined ? record : withCheckedOptions(file, record);
  throw new CheckpointError(
    `${file}: expected 'net' to tell the model, its classes and its input, found ${JSON.stringify(record)?.slice(0, 80)}. ` +
      'Name the file of weights instead, and its --model.',
    { file, expected: 'net', found: record },
  );
}

/** The net itself checks the options that it is made with. */
function withCheckedOptions(file: string, record: NetRecord): NetRecord {
  try {
    netOf(record);
    return record;
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new CheckpointError(
      `${file}: expected options of ${record.model} in 'net': ${cause.message}`,
      { file, expected: 'options of the model', found: record.options },
      { cause },
    );
  }
}

function isNetRecord(value: unknown): value is NetRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { model, stem, options, classes, inputShape, resize, classNames, normalization } = value as Partial<NetRecord>;
  return (
    typeof model === 'string' &&
    (stem === undefined || stem === 'imagenet' || stem === 'cifar') &&
    (options === undefined || (typeof options === 'object' && options !== null && !Array.isArray(options))) &&
    isSize(classes) &&
    Array.isArray(inputShape) &&
    inputShape.length === 3 &&
    inputShape.every(isSize) &&
    (inputShape[0] === 1 || inputShape[0] === 3) &&
    isSize(resize) &&
    resize >= Math.max(inputShape[1], inputShape[2]) &&
    Array.isArray(classNames) &&
    (classNames.length === 0 || classNames.length === classes) &&
    classNames.every((name) => typeof name === 'string') &&
    (normalization === undefined || isNormalization(normalization, inputShape[0]))
  );
}

const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 1;

function isNormalization({ mean, std }: Normalization, channels: number): boolean {
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length === channels && list.every(Number.isFinite);
  return isList(mean) && isList(std) && std.every((value) => value > 0);
}
