// Values of the options of `residua train`: each function takes the text and returns the value, or tells commander what is wrong.
import { InvalidArgumentError } from 'commander';
import type { DataName, TrainConfig } from '../../config/train-config.js';
import { suggestion } from '../options.js';

const knownData = ['fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'synthetic'] as const;

/** The name of a data set, or 'folder:PATH'. */
export function dataName(text: string): DataName {
  if ((knownData as readonly string[]).includes(text) || /^folder:./s.test(text)) return text as DataName;
  const hint = text.includes('/')
    ? ` For images in folders: folder:${text}. For a data set's own files: --data-root.`
    : ` ${suggestion(text, [...knownData, 'folder:PATH'])}`;
  throw new InvalidArgumentError(`Expected ${knownData.join(', ')} or folder:PATH.${hint}`);
}

/** What takes a value away. Not null: commander takes that for a missing one. */
export type None = 'none';

/** What `parse` takes, or 'none'. */
export const orNone =
  <T>(parse: (text: string) => T) =>
  (text: string): T | None =>
    text === 'none' ? text : parse(text);

/** A number from `least` to `most`, the least itself left out where `above`. */
export const numberFrom =
  (least: number, most = Number.POSITIVE_INFINITY, { above = false } = {}) =>
  (text: string): number => {
    const value = toNumber(text);
    if (Number.isFinite(value) && value <= most && (above ? value > least : value >= least)) return value;
    const upTo = most === Number.POSITIVE_INFINITY ? '' : ` to ${most}`;
    throw new InvalidArgumentError(
      above ? `Expected a number above ${least}${upTo && `, up${upTo}`}.` : range(least, upTo),
    );
  };

const range = (least: number, upTo: string): string =>
  upTo ? `Expected a number from ${least}${upTo}.` : `Expected a number of at least ${least}.`;

const toNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** Numbers with commas between them; `count` of them, where it is given. */
export function numberList(text: string, count?: number): number[] {
  const values = text.split(',').map(toNumber);
  if (values.every(Number.isFinite) && (count === undefined || values.length === count)) return values;
  throw new InvalidArgumentError(`Expected ${count ?? 'some'} numbers with commas between them.`);
}

/** '0.08,1': the smallest and the largest part of the area. */
export function areaRange(text: string): [number, number] {
  const [least, most] = numberList(text, 2) as [number, number];
  if (least > 0 && least <= most && most <= 1) return [least, most];
  throw new InvalidArgumentError('Expected the smallest and the largest part of the area, such as 0.08,1.');
}

/** '0.4,0.4,0.4,0.1' */
export function colorJitter(text: string): NonNullable<TrainConfig['augment']['colorJitter']> {
  const [brightness, contrast, saturation, hue] = numberList(text, 4) as [number, number, number, number];
  return { brightness, contrast, saturation, hue };
}

/** 'dataset', 'imagenet', or the means, a slash and the deviations: '0.5,0.5,0.5/0.2,0.2,0.2'. */
export function normalization(text: string): NonNullable<TrainConfig['normalize']> {
  if (text === 'dataset' || text === 'imagenet') return text;
  if (/^[a-z]/i.test(text)) {
    const words = ['dataset', 'imagenet', 'none'];
    throw new InvalidArgumentError(`Expected ${words.join(', ')}, or numbers. ${suggestion(text, words)}`);
  }
  const parts = text.split('/');
  const [mean, std] = parts.map((part) => numberList(part));
  if (parts.length === 2 && mean?.length === std?.length) return { mean: mean as number[], std: std as number[] };
  throw new InvalidArgumentError(
    "Expected 'dataset', 'imagenet', 'none', or mean and standard deviation of each channel, such as 0.5,0.5,0.5/0.2,0.2,0.2.",
  );
}

/** '30' (epochs between two decays) or '30,60,80' (the epochs after which the rate decays). */
export function decayEpochs(text: string): number | number[] {
  const values = numberList(text);
  if (!values.every((value) => value > 0)) throw new InvalidArgumentError('Expected epochs above 0.');
  return values.length === 1 && !text.includes(',') ? (values[0] as number) : values;
}

const listOptions = ['blocks', 'widths'];

/** 'widths=8,16,32' or 'stem=cifar', added to those before it. */
export function modelOption(text: string, previous: Record<string, unknown> = {}): Record<string, unknown> {
  const [, name, value] = /^(\w+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('Expected a name and a value, such as widths=16,32,64 or stem=cifar.');
  return { ...previous, [name]: listOptions.includes(name) ? numberList(value) : optionValue(value) };
}

/** A whole number, true or false; else the text. */
function optionValue(text: string): unknown {
  if (/^\d+$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
