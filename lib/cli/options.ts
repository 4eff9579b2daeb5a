// Values of command-line options: each function takes the text and returns the value, or tells commander what is wrong.
import { InvalidArgumentError, Option } from 'commander';
import { Device } from '../device.js';
import { nearestName } from '../nearest-name.js';
import { precisions } from '../precision.js';

/** A whole number from 1 to 2^31 - 1. */
export function positiveInteger(text: string): number {
  return wholeNumber(text, 1, 2 ** 31 - 1);
}

/** A seed: a whole number from 0 to 2^53 - 1. */
export function seedNumber(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER);
}

/** The side of square images in pixels. */
export function imageSide(text: string): number {
  return wholeNumber(text, 1, 4096);
}

/** A finite number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** 'cpu', 'gpu' (the first one) or 'gpu(N)'. */
export function deviceName(text: string): Device {
  const name = text === 'gpu' ? 'gpu(0)' : text;
  if (!/^(cpu|gpu\(\d+\))$/.test(name))
    throw new InvalidArgumentError(
      `Expected 'cpu', 'gpu' or 'gpu(N)'. ${suggestion(text.replace(/^(cuda|nvidia)/i, 'gpu'), ['cpu', 'gpu', 'gpu(0)'])}`,
    );
  return new Device(name);
}

/** The parser of a word that must be one of `choices`: another one is refused, with the nearest of them. */
export function oneOf<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Expected ${listed(choices)}. ${suggestion(text, choices)}`);
  };
}

/** An option with a value of `choices`, as `--help` lists them. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices).argParser(oneOf(choices));
}

/** `--precision`, the same for every command that runs a net. */
export function precisionOption(): Option {
  return choiceOption(
    '--precision <type>',
    'type of the activations; parameters are float32 in any case',
    precisions,
  ).default('float32');
}

/** `--no-tune`, the same for every command that runs a net. */
export function noTuneOption(): Option {
  return new Option('--no-tune', 'compute convolutions directly: no algorithm is chosen by timing it (CPU)');
}

/** A shape such as 1x1x224x224: batch, channels, height, width. */
export function imageShape(text: string): number[] {
  const shape = text.split('x').map(Number);
  if (!/^\d+(x\d+){3}$/.test(text) || !shape.every((d) => d >= 1 && d < 2 ** 31)) {
    throw new InvalidArgumentError('Expected batch x channels x height x width, such as 1x1x224x224.');
  }
  return shape;
}

/** A shape as above, or channels, height and width of one image: 3x224x224. */
export function inputShape(text: string): number[] {
  return imageShape(/^\d+(x\d+){2}$/.test(text) ? `1x${text}` : text);
}

/** What was probably meant, as a question. */
export function suggestion(text: string, choices: readonly string[]): string {
  return `Did you mean '${nearestName(text, choices)}'?`;
}

/** 'a', 'b' or 'c' */
function listed(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `'${choice}'`);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter(Boolean).join(' or ');
}

/** A whole number within limits. */
export function wholeNumber(text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    const isOpen = most >= 2 ** 31 - 1 && !(value > most); // a limit that nobody meets is not told
    throw new InvalidArgumentError(
      `Expected a whole number ${isOpen ? `of at least ${least}` : `from ${least} to ${most}`}.`,
    );
  }
  return value;
}
