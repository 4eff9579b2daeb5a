// The table of layers: output shapes, parameters, multiply-adds.
import { pause } from '../autograd/tape.js';
import { currentDevice, type Device } from '../device.js';
import { ConfigError } from '../errors.js';
import { checkOptions } from '../options.js';
import { zeros } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { Block } from './block.js';
import { observing } from './forward.js';
import type { Parameter } from './parameter.js';

export interface SummaryOptions {
  /** How many levels of layers to show: 1 for the net's own children alone. Default: all. */
  depth?: number;
  /** Where a line would be longer than so many characters, names stand without the layers' classes. Default: they never do. */
  width?: number;
}

interface Row {
  layer: string;
  /** Its class. */
  kind: string;
  output: string;
  parameters: string;
  multiplyAdds: string;
}

/** See Block.summary. */
export function summarize(net: Block, inputShape: readonly number[], options: SummaryOptions): string {
  checkOptions('summary()', options, ['depth', 'width']);
  const { depth = Infinity, width = Infinity } = options;
  if (!(depth >= 1))
    throw new ConfigError(`summary() expected depth to be a number of at least 1, got ${depth}.`, {
      argument: 'depth',
      found: depth,
    });
  return withValues(net, () => {
    const calls = observe(net, inputShape);
    const rows: Row[] = [];
    for (const [path, block] of net.descendants()) {
      if (levelOf(path) > depth) continue;
      const indent = '  '.repeat(levelOf(path));
      rows.push({
        layer: `${indent}${path || block.name}`,
        kind: ` (${block.constructor.name})`,
        output: calls.get(block)?.shape ?? 'not called',
        parameters: countOf(block.collectParams().values()).toLocaleString('en-US'),
        multiplyAdds: multiplyAddsOf(block, calls).toLocaleString('en-US'),
      });
    }
    return `${formatTable(rows, width)}\n${totals([...net.collectParams().values()])}\nMultiply-adds: ${multiplyAddsOf(net, calls).toLocaleString('en-US')}`;
  });
}

const levelOf = (path: string): number => (path === '' ? 0 : path.split('.').length);

/** Runs `fn` with zeros where parameters have no values, and takes them back. */
function withValues<T>(net: Block, fn: () => T): T {
  const device = deviceOf(net);
  const undo = [...net.collectParams().values()].map((parameter) => parameter.borrowZeros(device));
  try {
    return fn();
  } finally {
    for (const restore of undo) restore();
  }
}

/** Where the net's parameters are. */
function deviceOf(net: Block): Device {
  const parameter = [...net.collectParams().values()].find((candidate) => candidate.initialized);
  return parameter?.data().device ?? currentDevice();
}

/** What was seen of a layer: the shape of its last output, its own multiply-adds in all calls. */
interface Calls {
  shape: string;
  multiplyAdds: number;
}

function observe(net: Block, inputShape: readonly number[]): Map<Block, Calls> {
  const calls = new Map<Block, Calls>();
  const note = (block: Block, { shape }: { shape: readonly number[] }): void => {
    const before = calls.get(block)?.multiplyAdds ?? 0;
    calls.set(block, { shape: `(${shape.join(', ')})`, multiplyAdds: before + block.multiplyAdds(shape) });
  };
  pause(() =>
    tidy(() => {
      observing(note, () => net.forward(zeros(inputShape, { device: deviceOf(net) })));
    }),
  );
  return calls;
}

/** Of the block and all below it. */
function multiplyAddsOf(block: Block, calls: Map<Block, Calls>): number {
  let sum = 0;
  for (const [, each] of block.descendants()) sum += calls.get(each)?.multiplyAdds ?? 0;
  return sum;
}

function countOf(parameters: Iterable<Parameter>): number {
  let count = 0;
  for (const parameter of parameters) count += parameter.shape.reduce((n, d) => n * d, 1);
  return count;
}

function formatTable(rows: Row[], width: number): string {
  const whole = tableOf(rows.map((row) => ({ ...row, layer: row.layer + row.kind })));
  return whole.indexOf('\n') <= width ? whole : tableOf(rows);
}

function tableOf(rows: Row[]): string {
  const header: Row = {
    layer: 'Layer',
    kind: '',
    output: 'Output shape',
    parameters: 'Parameters',
    multiplyAdds: 'Multiply-adds',
  };
  const all = [header, ...rows];
  const width = (column: keyof Row) => Math.max(...all.map((row) => row[column].length));
  const [layer, output] = [width('layer'), width('output')];
  const [parameters, multiplyAdds] = [width('parameters'), width('multiplyAdds')];
  const line = '-'.repeat(layer + output + parameters + multiplyAdds + 6);
  const texts = all.map(
    (row) =>
      `${row.layer.padEnd(layer)}  ${row.output.padEnd(output)}  ${row.parameters.padStart(parameters)}  ${row.multiplyAdds.padStart(multiplyAdds)}`,
  );
  return [texts[0], line, ...texts.slice(1), line].join('\n');
}

function totals(parameters: Parameter[]): string {
  const total = countOf(parameters);
  const trainable = countOf(parameters.filter((parameter) => parameter.trainable));
  const fixed = parameters.filter((parameter) => !parameter.trainable);
  const isStatistics = fixed.length > 0 && fixed.every(({ name }) => /running(Mean|Var)$/.test(name));
  return [
    `Parameters: ${total.toLocaleString('en-US')}`,
    `Trainable parameters: ${trainable.toLocaleString('en-US')}`,
    `Not trainable: ${(total - trainable).toLocaleString('en-US')}${isStatistics ? ' (statistics of BatchNorm)' : ''}`,
  ].join('\n');
}
