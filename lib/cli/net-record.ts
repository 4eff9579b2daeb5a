// What history.json tells of the trained net: how to build it again, and what images must become before they enter it.
import { CheckpointError } from '../errors.js';
import type { Normalization } from '../interop/index.js';

export interface NetRecord {
  /** Its name for `models.byName`. */
  model: string;
  /** Of its stem, where that is not what the name stands for. */
  stem?: 'imagenet' | 'cifar';
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
  if (isNetRecord(record)) return record;
  throw new CheckpointError(
    `${file}: expected 'net' to tell the model, its classes and its input, found ${JSON.stringify(record)?.slice(0, 80)}. ` +
      'Name the file of weights instead, and its --model.',
    { file, expected: 'net', found: record },
  );
}

function isNetRecord(value: unknown): value is NetRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { model, stem, classes, inputShape, resize, classNames, normalization } = value as Partial<NetRecord>;
  return (
    typeof model === 'string' &&
    (stem === undefined || stem === 'imagenet' || stem === 'cifar') &&
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
