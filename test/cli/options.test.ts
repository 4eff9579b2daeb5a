// Values of options: what is taken and what is refused.
import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  deviceName,
  imageShape,
  imageSide,
  inputShape,
  positiveInteger,
  positiveNumber,
  seedNumber,
} from '../../lib/cli/options.js';

describe('taken', () => {
  test('whole numbers', () => {
    expect(positiveInteger('1')).toBe(1);
    expect(seedNumber('0')).toBe(0);
    expect(seedNumber('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(imageSide('96')).toBe(96);
  });
  test('numbers', () => {
    expect(positiveNumber('0.05')).toBe(0.05);
    expect(positiveNumber('1e-3')).toBe(0.001);
  });
  test('devices and shapes', () => {
    expect(deviceName('cpu').name).toBe('cpu');
    expect(deviceName('gpu').name).toBe('gpu(0)');
    expect(deviceName('gpu(3)').name).toBe('gpu(3)');
    expect(imageShape('1x1x224x224')).toEqual([1, 1, 224, 224]);
    expect(inputShape('2x1x224x224')).toEqual([2, 1, 224, 224]);
    expect(inputShape('3x224x224')).toEqual([1, 3, 224, 224]);
  });
});

describe('refused', () => {
  test.each(['', '0', '-1', '1.5', 'abc', '1e3', '0x10', ' 1', '2147483648', 'NaN'])('positiveInteger: %j', (text) => {
    expect(() => positiveInteger(text)).toThrow(InvalidArgumentError);
  });
  test.each(['', ' ', '0', '-0.1', 'NaN', 'Infinity', '0.05x'])('positiveNumber: %j', (text) => {
    expect(() => positiveNumber(text)).toThrow(InvalidArgumentError);
  });
  test.each(['-1', '9007199254740992', '1.5'])('seedNumber: %j', (text) =>
    expect(() => seedNumber(text)).toThrow(InvalidArgumentError),
  );
  test.each(['', 'cuda', 'gpu()', 'gpu(-1)', 'CPU'])('deviceName: %j', (text) =>
    expect(() => deviceName(text)).toThrow(InvalidArgumentError),
  );
  test.each(['', '1x1x224', '1x1x0x224', '1x1x224x224x1', '1,1,224,224', '1x1x-2x2', '1x1xax2', '1x1x2x99999999999'])(
    'imageShape: %j',
    (text) => expect(() => imageShape(text)).toThrow(InvalidArgumentError),
  );
  test('imageSide: more than 4096', () => expect(() => imageSide('4097')).toThrow(InvalidArgumentError));
});
