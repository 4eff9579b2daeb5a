// Nets of the command line: by the name that was typed, and by the record of a run.
import { InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors.js';
import { byName, checkModelName } from '../models/index.js';
import type { Block } from '../nn/index.js';
import type { NetRecord } from './net-record.js';

export const chapterModel = 'chapter-resnet18';

/** A name of `models.byName`; 'chapter' is short for the chapter's net. */
export function modelName(text: string): string {
  try {
    return checkModelName(text === 'chapter' ? chapterModel : text);
  } catch (error) {
    if (error instanceof ConfigError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** The net of a record, without values. Throws ConfigError. */
export function netOf({
  model,
  stem,
  options = {},
  classes,
  inputShape,
}: Pick<NetRecord, 'model' | 'stem' | 'options' | 'classes' | 'inputShape'>): Block {
  if (model === chapterModel) return byName(model, { ...options, classes });
  return byName(model, { ...options, stem: stem ?? options.stem, classes, inChannels: inputShape[0] });
}

/** The stem for images of this side: one for big images would leave nothing of small ones. Undefined: what the name stands for. */
export function stemFor(model: string, side: number): 'cifar' | undefined {
  return model !== chapterModel && side <= 64 ? 'cifar' : undefined;
}
