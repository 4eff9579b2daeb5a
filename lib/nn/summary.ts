// The table of layers, output shapes and parameter counts.
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
}

interface Row {
  layer: string;
  output: string;
  parameters: string;
}

/** See Block.summary. */
export function summarize(net: Block, inputShape: readonly number[], options: SummaryOptions): string {
  checkOptions('summary()', options, ['depth']);
  const { depth = Infinity } = options;
  if (!(depth >= 1))
    throw new ConfigError(`summary() expected depth to be a number of at least 1, got ${depth}.`, {
      argument: 'depth',
      found: depth,
    });
  return withValues(net, () => {
    const shapes = outputShapes(net, inputShape);
    const rows: Row[] = [];
    for (const [path, block] of net.descendants()) {
      if (levelOf(path) > depth) continue;
      const indent = '  '.repeat(levelOf(path));
      rows.push({
        layer: `${indent}${path || block.name} (${block.constructor.name})`,
        output: shapes.get(block) ?? 'not called',
        parameters: countOf(block.collectParams().values()).toLocaleString('en-US'),
      });
    }
    return `${formatTable(rows)}\n${totals([...net.collectParams().values()])}`;
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

function outputShapes(net: Block, inputShape: readonly number[]): Map<Block, string> {
  const shapes = new Map<Block, string>();
  const observe = (block: Block, output: { shape: readonly number[] }) =>
    void shapes.set(block, `(${output.shape.join(', ')})`);
  pause(() =>
    tidy(() => {
      observing(observe, () => net.forward(zeros(inputShape, { device: deviceOf(net) })));
    }),
  );
  return shapes;
}

function countOf(parameters: Iterable<Parameter>): number {
  let count = 0;
  for (const parameter of parameters) count += parameter.shape.reduce((n, d) => n * d, 1);
  return count;
}

function formatTable(rows: Row[]): string {
  const header: Row = { layer: 'Layer', output: 'Output shape', parameters: 'Parameters' };
  const all = [header, ...rows];
  const width = (column: keyof Row) => Math.max(...all.map((row) => row[column].length));
  const [layer, output, parameters] = [width('layer'), width('output'), width('parameters')];
  const line = '-'.repeat(layer + output + parameters + 4);
  const texts = all.map(
    (row) => `${row.layer.padEnd(layer)}  ${row.output.padEnd(output)}  ${row.parameters.padStart(parameters)}`,
  );
  return [texts[0], line, ...texts.slice(1), line].join('\n');
}

function totals(parameters: Parameter[]): string {
  const total = countOf(parameters);
  const trainable = countOf(parameters.filter((parameter) => parameter.trainable));
  return [
    `Parameters: ${total.toLocaleString('en-US')}`,
    `Trainable parameters: ${trainable.toLocaleString('en-US')}`,
    `Not trainable: ${(total - trainable).toLocaleString('en-US')}`,
  ].join('\n');
}
