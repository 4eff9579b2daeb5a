// summary(): the table, and that it leaves the net as it was.
import { describe, expect, it } from 'vitest';
import { ConfigError, memory, nn, ShapeError, seed, type Tensor, zeros } from '../../lib/index.js';

const makeNet = () =>
  new nn.Sequential().add(
    new nn.Conv2D(4, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm(),
    new nn.Activation('relu'),
    new nn.Residual(4),
    new nn.Dense(10),
  );

/** [layer, output shape, parameters] of each line of the table. */
const rowsOf = (table: string) =>
  table
    .split('\n')
    .slice(2)
    .filter((line) => /\)\s+\(/.test(line))
    .map((line) => line.trim().split(/\s{2,}/));

describe('summary', () => {
  it('leaves out the classes of the layers where lines would be longer than asked for', () => {
    const net = makeNet();
    const whole = net.summary([2, 1, 8, 8]);
    const width = whole.indexOf('\n');
    expect(net.summary([2, 1, 8, 8], { width })).toBe(whole);
    const lines = net.summary([2, 1, 8, 8], { width: width - 1 }).split('\n');
    expect(lines[2]).toMatch(new RegExp(`^${net.name} +\\(2, 10\\) `));
    expect(lines[3]).toMatch(/^ {2}0 +\(2, 4, 8, 8\) +40 +4,608$/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(width);
  });

  it('lists layers with output shapes and parameters', () => {
    const net = makeNet();
    const rows = rowsOf(net.summary([2, 1, 8, 8]));
    expect(rows.map((row) => row[0])).toEqual([
      `${net.name} (Sequential)`,
      '0 (Conv2D)',
      '1 (BatchNorm)',
      '2 (Activation)',
      '3 (Residual)',
      '3.conv1 (Conv2D)',
      '3.bn1 (BatchNorm)',
      '3.conv2 (Conv2D)',
      '3.bn2 (BatchNorm)',
      '4 (Dense)',
    ]);
    expect(rows.map((row) => row[1])).toEqual([
      '(2, 10)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 4, 8, 8)',
      '(2, 10)',
    ]);
    // conv 4*1*9+4, BatchNorm 4*4, residual 2*(4*4*9+4) + 2*16, dense 256*10+10
    expect(rows.map((row) => row[2])).toEqual(['2,954', '40', '16', '0', '328', '148', '16', '148', '16', '2,570']);
  });
  it('counts multiply-adds of convolutions and dense layers, in each call', () => {
    const net = makeNet();
    const table = net.summary([2, 1, 8, 8]);
    // conv 2*64*(4*9), residual 2 * 2*64*(4*4*9), dense 2*10*256
    expect(rowsOf(table).map((row) => row[3])).toEqual([
      '46,592',
      '4,608',
      '0',
      '0',
      '36,864',
      '18,432',
      '0',
      '18,432',
      '0',
      '5,120',
    ]);
    expect(table.split('\n').at(-1)).toBe('Multiply-adds: 46,592');
    const grouped = new nn.Conv2D(6, { kernelSize: [3, 1], groups: 2, strides: 2 });
    const twice = new nn.Sequential().add(grouped, new nn.Conv2D(4, { kernelSize: 1 }));
    // [1, 4, 9, 5] -> [1, 6, 4, 3]: 12 pixels of 6*2*3, then of 4*6
    expect(rowsOf(twice.summary([1, 4, 9, 5])).map((row) => row[3])).toEqual(['720', '432', '288']);
    class Twice extends nn.Block {
      readonly dense = new nn.Dense(5, { flatten: false });
      forward(x: Tensor): Tensor {
        return this.dense.forward(this.dense.forward(x));
      }
    }
    expect(rowsOf(new Twice().summary([3, 5])).map((row) => row[3])).toEqual(['150', '150']); // 2 * 3*5*5
  });
  it('counts trainable parameters apart', () => {
    const table = makeNet().summary([2, 1, 8, 8]);
    expect(table).toContain('Parameters: 2,954\n');
    expect(table).toContain('Trainable parameters: 2,930\n');
    expect(table).toContain('Not trainable: 24 (statistics of BatchNorm)');
  });
  it('shows the levels asked for', () => {
    expect(rowsOf(makeNet().summary([1, 1, 8, 8], { depth: 1 })).length).toBe(6);
    expect(() => makeNet().summary([1, 1, 8, 8], { depth: 0 })).toThrow(ConfigError);
  });
  it('leaves a net that is not initialised as it was', () => {
    const net = makeNet();
    const before = memory().tensors;
    net.summary([1, 1, 8, 8]);
    expect(memory().tensors).toBe(before);
    const shapes = [...net.collectParams().values()].map((parameter) => [...parameter.shape]);
    expect(shapes[0]).toEqual([4, 0, 3, 3]);
    expect([...net.collectParams().values()].some((parameter) => parameter.initialized)).toBe(false);
    expect(() => net.forward(zeros([1, 1, 8, 8]))).toThrow(/initialize/);
  });
  it('leaves what initialize() decided: the weights are those drawn without it', () => {
    const weights = (withSummary: boolean) => {
      seed(1);
      const net = makeNet();
      net.initialize();
      if (withSummary) net.summary([1, 1, 8, 8]);
      net.forward(zeros([1, 1, 8, 8])).dispose();
      return [...net.collectParams().values()].map((parameter) => [...parameter.data().dataSync()]);
    };
    expect(weights(true)).toEqual(weights(false));
  });
  it('undoes it also when the shape does not fit', () => {
    const net = makeNet();
    const before = memory().tensors;
    expect(() => net.summary([1, 8])).toThrow(ShapeError);
    expect([...net.collectParams().values()].some((parameter) => parameter.initialized)).toBe(false);
    expect(memory().tensors).toBe(before);
  });
  it('does not move running statistics', () => {
    const net = makeNet();
    net.initialize();
    net.forward(zeros([1, 1, 8, 8]));
    const norm = net.at(1) as nn.BatchNorm;
    norm.runningMean.setData(Float32Array.of(1, 2, 3, 4));
    net.summary([2, 1, 8, 8]);
    expect([...norm.runningMean.data().dataSync()]).toEqual([1, 2, 3, 4]);
  });
});
