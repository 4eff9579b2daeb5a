// Schedules against Gluon's own way of computing them, step by step.
import { describe, expect, it } from 'vitest';
import { ConfigError, lrScheduler } from '../../lib/index.js';

const rates = (schedule: { at(n: number): number }, count: number) =>
  Array.from({ length: count }, (_, n) => schedule.at(n));

/** Gluon's FactorScheduler: a loop with state. */
function factorRates(count: number, step: number, factor: number, stop: number, lr: number): number[] {
  let steps = 0;
  return Array.from({ length: count }, (_, n) => {
    while (n > steps + step) {
      steps += step;
      lr = Math.max(lr * factor, stop);
    }
    return lr;
  });
}

function expectClose(found: number[], wanted: number[]): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((rate, i) => {
    expect(rate, `update ${i}`).toBeCloseTo(wanted[i] as number, 12);
  });
}

describe('FactorScheduler', () => {
  it('decays after every step updates, down to the stop', () => {
    const schedule = new lrScheduler.FactorScheduler({ step: 3, factor: 0.5, baseLr: 1, stopFactorLr: 0.1 });
    expectClose(rates(schedule, 20), factorRates(20, 3, 0.5, 0.1, 1));
    expect(rates(schedule, 5)).toEqual([1, 1, 1, 1, 0.5]);
  });
});

describe('MultiFactorScheduler', () => {
  it('decays after the given updates', () => {
    expectClose(
      rates(new lrScheduler.MultiFactorScheduler({ step: [2, 4], factor: 0.1, baseLr: 1 }), 7),
      [1, 1, 1, 0.1, 0.1, 0.01, 0.01],
    );
  });
  it('wants rising updates', () => {
    for (const step of [[], [3, 2], [0], [1.5], 3])
      expect(() => new lrScheduler.MultiFactorScheduler({ step: step as number[] })).toThrow(ConfigError);
  });
});

describe('PolyScheduler', () => {
  it('falls as a power to the final rate and stays', () => {
    const schedule = new lrScheduler.PolyScheduler({ maxUpdate: 4, baseLr: 1, finalLr: 0.2, pwr: 2 });
    expectClose(
      rates(schedule, 7),
      [0, 1, 2, 3, 4, 4, 4].map((n) => 0.2 + 0.8 * (1 - n / 4) ** 2),
    );
  });
});

describe('CosineScheduler', () => {
  it('falls as half a cosine', () => {
    const schedule = new lrScheduler.CosineScheduler({ maxUpdate: 20, baseLr: 0.3, finalLr: 0.01 });
    expectClose(
      rates(schedule, 25),
      Array.from({ length: 25 }, (_, n) => 0.01 + (0.29 * (1 + Math.cos((Math.PI * Math.min(n, 20)) / 20))) / 2),
    );
  });
});

describe('warm-up', () => {
  it('rises in a line, then the schedule begins', () => {
    const schedule = new lrScheduler.CosineScheduler({
      maxUpdate: 20,
      baseLr: 0.3,
      warmupSteps: 5,
      warmupBeginLr: 0.05,
    });
    expectClose(
      rates(schedule, 5),
      [0, 1, 2, 3, 4].map((n) => 0.05 + (0.25 * n) / 5),
    );
    expect(schedule.at(5)).toBeCloseTo(0.3, 12);
    expect(schedule.at(20)).toBeCloseTo(0, 12);
    expect(schedule.at(12.5)).toBeCloseTo(0.15, 12);
  });
  it('can be constant', () => {
    const schedule = new lrScheduler.FactorScheduler({
      step: 100,
      baseLr: 1,
      warmupSteps: 3,
      warmupBeginLr: 0.1,
      warmupMode: 'constant',
    });
    expectClose(rates(schedule, 5), [0.1, 0.1, 0.1, 1, 1]);
  });
  it('rises to a base rate given for the call', () => {
    expect(new lrScheduler.PolyScheduler({ maxUpdate: 10, warmupSteps: 2 }).at(1, 0.8)).toBeCloseTo(0.4, 12);
  });
});

describe('options', () => {
  it('are checked', () => {
    expect(() => new lrScheduler.FactorScheduler({ step: 0 })).toThrow(/step/);
    expect(() => new lrScheduler.FactorScheduler({ step: 1, factor: 2 })).toThrow(/factor/);
    expect(() => new lrScheduler.PolyScheduler({ maxUpdate: 5, warmupSteps: 5 })).toThrow(/maxUpdate/);
    expect(() => new lrScheduler.CosineScheduler({ maxUpdate: 5, baseLr: Number.NaN })).toThrow(/baseLr/);
    expect(() => new lrScheduler.CosineScheduler({ maxUpdate: 5, warmupMode: 'cubic' as 'linear' })).toThrow(
      /warmupMode/,
    );
    expect(() => new lrScheduler.CosineScheduler({ max_update: 5 } as never)).toThrow(
      /CosineScheduler does not know the option 'max_update'/,
    );
  });
});
