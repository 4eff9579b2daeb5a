// Initialisers: bounds and moments of what they draw, the same values from the same stream.
import { describe, expect, it } from 'vitest';
import { ConfigError, init, ShapeError } from '../../lib/index.js';

const random = { seed: 7, stream: 3 };
const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
const deviation = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length - mean(values) ** 2);
const largest = (values: Float32Array) => values.reduce((max, v) => Math.max(max, Math.abs(v)), 0);

describe('constants', () => {
  it('fill the shape', () => {
    expect([...new init.Zero().values([2, 2])]).toEqual([0, 0, 0, 0]);
    expect([...new init.One().values([3])]).toEqual([1, 1, 1]);
    expect([...new init.Constant(-2.5).values([2])]).toEqual([-2.5, -2.5]);
  });
  it('refuse what is no number', () => {
    expect(() => new init.Constant(Number.NaN)).toThrow(ConfigError);
  });
});

describe('Uniform and Normal', () => {
  it('draw evenly from [-scale, scale)', () => {
    const values = new init.Uniform(0.5).values([100, 100], random);
    expect(largest(values)).toBeLessThanOrEqual(0.5);
    expect(largest(values)).toBeGreaterThan(0.49);
    expect(mean(values)).toBeCloseTo(0, 1);
    expect(deviation(values)).toBeCloseTo(0.5 / Math.sqrt(3), 2);
  });
  it('have the defaults of Gluon', () => {
    expect(new init.Uniform().scale).toBe(0.07);
    expect(new init.Normal().sigma).toBe(0.01);
  });
  it('draw with the standard deviation asked for', () => {
    const values = new init.Normal(2).values([100, 100], random);
    expect(mean(values)).toBeCloseTo(0, 1);
    expect(deviation(values)).toBeGreaterThan(1.95);
    expect(deviation(values)).toBeLessThan(2.05);
  });
  it('give the same values for the same stream, others for another', () => {
    const uniform = new init.Uniform(1);
    expect(uniform.values([50], random)).toEqual(uniform.values([50], random));
    expect(uniform.values([50], random)).not.toEqual(uniform.values([50], { seed: 7, stream: 4 }));
    expect(uniform.values([50], random)).not.toEqual(uniform.values([50], { seed: 8, stream: 3 }));
  });
});

describe('Xavier', () => {
  it('scales by the mean of fan in and fan out', () => {
    expect(new init.Xavier().scaleFor([64, 32, 3, 3])).toBeCloseTo(Math.sqrt(3 / (((64 + 32) * 9) / 2)), 12);
    expect(new init.Xavier().scaleFor([10, 20])).toBeCloseTo(Math.sqrt(3 / 15), 12);
  });
  it('scales by one of them on demand', () => {
    expect(new init.Xavier({ factorType: 'in', magnitude: 2 }).scaleFor([64, 32, 3, 3])).toBeCloseTo(
      Math.sqrt(2 / 288),
      12,
    );
    expect(new init.Xavier({ factorType: 'out', magnitude: 2 }).scaleFor([64, 32, 3, 3])).toBeCloseTo(
      Math.sqrt(2 / 576),
      12,
    );
  });
  it('draws uniformly within the scale', () => {
    const xavier = new init.Xavier();
    const values = xavier.values([64, 32, 3, 3], random);
    expect(values.length).toBe(64 * 32 * 9);
    expect(largest(values)).toBeLessThanOrEqual(xavier.scaleFor([64, 32, 3, 3]));
    expect(deviation(values)).toBeCloseTo(xavier.scaleFor([64, 32, 3, 3]) / Math.sqrt(3), 3);
  });
  it('draws normally on demand', () => {
    const xavier = new init.Xavier({ rndType: 'gaussian' });
    expect(deviation(xavier.values([64, 32, 3, 3], random))).toBeCloseTo(xavier.scaleFor([64, 32, 3, 3]), 2);
  });
  it('refuses vectors and unknown options', () => {
    expect(() => new init.Xavier().values([5], random)).toThrow(ShapeError);
    expect(() => new init.Xavier({ magnitude: -1 })).toThrow(/magnitude/);
    expect(() => new init.Xavier({ factorType: 'both' as 'avg' })).toThrow(/'avg' or 'in' or 'out'/);
    expect(() => new init.Xavier({ rnd_type: 'uniform' } as init.XavierOptions)).toThrow(/rnd_type/);
  });
});

describe('MSRAPrelu', () => {
  it('has variance 2 / ((1 + slope^2) factor)', () => {
    const he = new init.MSRAPrelu({ factorType: 'in', slope: 0 });
    expect(he.scaleFor([64, 32, 3, 3])).toBeCloseTo(Math.sqrt(2 / 288), 12);
    expect(new init.MSRAPrelu().magnitude).toBeCloseTo(2 / 1.0625, 12);
    expect(deviation(he.values([64, 32, 3, 3], random))).toBeCloseTo(Math.sqrt(2 / 288), 2);
  });
});
