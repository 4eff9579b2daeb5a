// The JSON schema of config files: the committed file is current, and it accepts and refuses what reading a file does.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configSchema, readConfigFile } from '../../lib/config/index.js';
import { ConfigError } from '../../lib/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { isValid, type Schema } from './plain-schema.js';

const schema = configSchema as Schema;
const folder = temporaryFolder();

const good: unknown[] = [
  {},
  { $schema: 'schema.json', model: 'resnet50', weights: 'a.safetensors', epochs: 3 },
  { data: 'cifar10', schedule: 'cosine', optimizer: 'sgd' },
  { data: 'folder:/images of pets' },
  { data: { name: 'mnist', validation: null, limit: 10 } },
  { data: { validation: 0.2 }, device: 'gpu(3)' },
  { normalize: 'imagenet' },
  { normalize: { mean: [0.5], std: [0.2] } },
  { normalize: null, mixup: null, averageDecay: 0.99 },
  { augment: { randomResizedCrop: [0.1, 1], colorJitter: { hue: 0.5 } } },
  { schedule: { name: 'multi-step', at: [1, 2.5] } },
  { schedule: { at: 30 } },
  { model: 'resnet', modelOptions: { blocks: [1, 2, 2], widths: [8, 16, 32], block: 'bottleneck' } },
];

const bad: unknown[] = [
  { epoch: 3 },
  { epochs: 0 },
  { epochs: 2.5 },
  { epochs: '3' },
  { model: 'resnet19' },
  { data: 'folder:' },
  { data: 'cifar' },
  { data: { name: 'cifar10', size: 0 } },
  { data: { path: 'x' } },
  { device: 'gpu0' },
  { device: 'tpu' },
  { normalize: 'mine' },
  { normalize: { mean: [], std: [1] } },
  { normalize: { mean: [0], std: [0] } },
  { augment: { randomResizedCrop: [0.5] } },
  { augment: { randomResizedCrop: [0, 1] } },
  { augment: { colorJitter: { hue: 0.6 } } },
  { augment: null },
  { optimizer: { learningRate: 0 } },
  { optimizer: { momentum: 1.5 } },
  { optimizer: 'adam' },
  { schedule: { at: [] } },
  { schedule: { at: [1, 'x'] } },
  { labelSmoothing: 2 },
  { weights: '' },
  { modelOptions: { classes: 3 } },
  { precision: 'float64' },
  { tune: 'yes' },
  [],
];

function isRead(config: unknown): boolean {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  try {
    readConfigFile(file);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return false;
  }
}

describe('the schema', () => {
  it('is the committed recipes/schema.json: else run `npm run schema`', () => {
    const committed = readFileSync(new URL('../../recipes/schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(configSchema)));
  });

  it.each(good)('accepts %j, and so does a file', (config) => {
    expect(isValid(schema, config)).toBe(true);
    expect(isRead(config)).toBe(true);
  });

  it.each(bad.map((config) => [config]))('refuses %j, and so does a file', (config) => {
    expect(isValid(schema, config)).toBe(false);
    expect(isRead(config)).toBe(false);
  });

  it('describes every key, and its defaults are valid', () => {
    let keys = 0;
    const visit = (part: Schema): void => {
      for (const [key, inner] of Object.entries(part.properties ?? {})) {
        keys += 1;
        expect(inner.description, key).toMatch(/\.$/);
        if (inner.default !== undefined) expect(isValid({ ...inner }, inner.default), key).toBe(true);
        visit(inner);
      }
      for (const inner of part.anyOf ?? []) visit(inner);
    };
    visit(schema);
    expect(keys).toBeGreaterThan(60);
  });
});
