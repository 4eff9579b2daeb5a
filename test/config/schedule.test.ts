// Schedules of a config: epochs as optimiser steps.
import { describe, expect, it } from 'vitest';
import { type PartialTrainConfig, resolveConfig } from '../../lib/config/index.js';
import { schedulerOf } from '../../lib/config/schedule.js';

/** The rate of each step of a run, of the first rate 1. */
function rates(schedule: PartialTrainConfig['schedule'], epochs: number, stepsPerEpoch: number): number[] {
  const config = resolveConfig({ device: 'cpu', epochs, optimizer: { learningRate: 1 }, schedule });
  const scheduler = schedulerOf(config, stepsPerEpoch);
  return Array.from({ length: epochs * stepsPerEpoch }, (_, step) => scheduler?.at(step + 1) ?? 1);
}

const expectClose = (found: readonly number[], wanted: readonly number[]): void => {
  expect(found.length).toBe(wanted.length);
  for (const [i, rate] of found.entries()) expect(rate, `step ${i + 1}`).toBeCloseTo(wanted[i] as number, 12);
};

describe('schedulerOf', () => {
  it('constant: none, or a warm-up', () => {
    const config = resolveConfig({ device: 'cpu', schedule: 'constant' });
    expect(schedulerOf(config, 10)).toBeUndefined();
    expectClose(rates({ name: 'constant', warmup: 1, warmupFrom: 0.5 }, 2, 4), [0.625, 0.75, 0.875, 1, 1, 1, 1, 1]);
  });

  it('step: decays after every so many epochs', () => {
    expectClose(rates({ name: 'step', at: 1, factor: 0.5 }, 3, 2), [1, 1, 0.5, 0.5, 0.25, 0.25]);
    expectClose(rates({ name: 'step', at: 1.5, factor: 0.1 }, 3, 2), [1, 1, 1, 0.1, 0.1, 0.1]);
    expect(rates({ name: 'step', at: 1, factor: 0.01 }, 8, 1).at(-1)).toBeCloseTo(1e-14, 20); // no floor
  });

  it('multi-step: decays after the given epochs, also where they have fewer steps than decays', () => {
    expectClose(rates({ name: 'multi-step', at: [1, 2] }, 3, 2), [1, 1, 0.1, 0.1, 0.01, 0.01]);
    expectClose(rates({ name: 'multi-step', at: [1, 1.2], factor: 0.5 }, 3, 1), [1, 0.5, 0.25]);
  });

  it('cosine and polynomial: end with the run, after a warm-up from the first step', () => {
    const cosine = (part: number) => 0.1 + (0.9 * (1 + Math.cos(Math.PI * part))) / 2;
    expectClose(rates({ name: 'cosine', warmup: 0.5, warmupFrom: 0, final: 0.1 }, 2, 4), [
      0.5,
      ...[0, 1, 2, 3, 4, 5, 6].map((n) => cosine(n / 6)),
    ]);
    expectClose(
      rates({ name: 'polynomial', warmup: 0, final: 0, power: 3 }, 2, 2),
      [1, 2, 3, 4].map((n) => (1 - n / 4) ** 3),
    );
  });

  it('one-cycle: rises for the warm-up, also for a part of a step', () => {
    const [first, second, third, last] = rates({ name: 'one-cycle', warmup: 1.5, warmupFrom: 0.2, final: 0.1 }, 2, 2);
    expect(first).toBeCloseTo(0.2, 12);
    expect(second).toBeCloseTo(0.6, 12); // half of the rise of two steps
    expect(third).toBeCloseTo(1, 12);
    expect(last).toBeCloseTo(0.1, 12);
  });
});
