// The one-cycle schedule against PyTorch's OneCycleLR.
import { describe, expect, it } from 'vitest';
import { ConfigError, lrScheduler } from '../../lib/index.js';
import { readJson } from '../helpers/fixtures.js';

interface CycleCase {
  options: { max_lr: number; total_steps: number; pct_start?: number; div_factor?: number; final_div_factor?: number };
  rates: number[];
}

describe('OneCycleScheduler', () => {
  const { cases } = readJson<{ cases: CycleCase[] }>('oneCycle');

  it.each(cases)('has the rates of $options', ({ options, rates }) => {
    const { max_lr: baseLr, total_steps: maxUpdate, pct_start, div_factor, final_div_factor } = options;
    const schedule = new lrScheduler.OneCycleScheduler({
      baseLr,
      maxUpdate,
      riseSteps: pct_start === undefined ? undefined : pct_start * maxUpdate,
      beginFactor: div_factor === undefined ? undefined : 1 / div_factor,
      finalFactor: final_div_factor === undefined ? undefined : 1 / (div_factor as number) / final_div_factor,
    });
    for (const [step, rate] of rates.entries()) expect(schedule.at(step + 1), `step ${step}`).toBeCloseTo(rate, 12);
  });

  it('has the first rate before the first update and stays at the last after the cycle', () => {
    const schedule = new lrScheduler.OneCycleScheduler({ baseLr: 1, maxUpdate: 10, finalFactor: 0.25 });
    expect(schedule.at(0)).toBe(schedule.at(1));
    expect(schedule.at(0)).toBeCloseTo(0.04, 12);
    expect(schedule.at(10)).toBeCloseTo(0.25, 12);
    expect(schedule.at(1000)).toBeCloseTo(0.25, 12);
  });

  it('scales with the rate that a Trainer gives', () => {
    const schedule = new lrScheduler.OneCycleScheduler({ maxUpdate: 10, baseLr: 1 });
    for (const n of [1, 3, 8]) expect(schedule.at(n, 0.2)).toBeCloseTo(0.2 * schedule.at(n), 12);
  });

  it.each([
    [{ maxUpdate: 0 }, 'maxUpdate'],
    [{ maxUpdate: 10, riseSteps: 11 }, 'riseSteps'],
    [{ maxUpdate: 10, beginFactor: 2 }, 'beginFactor'],
    [{ maxUpdate: 10, finalFactor: -1 }, 'finalFactor'],
    [{ maxUpdate: 10, warmupSteps: 2 }, "does not know the option 'warmupSteps'"],
  ])('refuses %j', (options, message) => {
    expect(() => new lrScheduler.OneCycleScheduler(options)).toThrow(ConfigError);
    expect(() => new lrScheduler.OneCycleScheduler(options)).toThrow(message);
  });
});
