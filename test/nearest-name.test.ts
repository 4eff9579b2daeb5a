import { describe, expect, it } from 'vitest';
import { nearestName } from '../lib/nearest-name.js';

describe('nearestName', () => {
  const known = ['learningRate', 'momentum', 'nesterov', 'weightDecay'];

  it.each([
    ['learningrate', 'learningRate'], // another case
    ['momentun', 'momentum'], // a letter replaced
    ['nestrov', 'nesterov'], // one left out
    ['weightDecayy', 'weightDecay'], // one inserted
    ['mom', 'momentum'], // the beginning
    ['lr', 'learningRate'], // first letters of words
    ['WD', 'weightDecay'],
  ])('%s -> %s', (name, expected) => {
    expect(nearestName(name, known)).toBe(expected);
  });

  it('prefers a name that begins so to one that is nearer by letters', () => {
    expect(nearestName('res', ['red', 'resnet18'])).toBe('resnet18');
  });

  it('takes the first of equals, also for an empty name', () => {
    expect(nearestName('', ['ab', 'cd'])).toBe('ab');
  });
});
