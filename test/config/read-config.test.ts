// Config files: YAML and JSON, and where errors are told to be.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../../lib/config/index.js';
import { ConfigError } from '../../lib/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const folder = temporaryFolder();

function written(text: string, name = 'run.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function errorOf(text: string): ConfigError {
  const file = written(text);
  try {
    readConfigFile(file);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).details.file).toBe(file);
    return error as ConfigError;
  }
  throw new Error(`expected an error for ${text}`);
}

describe('a config file', () => {
  it('is YAML', () => {
    const text = '# a run\nepochs: 5 # few\ndata: cifar10\noptimizer:\n  learningRate: 1e-2\naugment: {flip: true}\n';
    expect(readConfigFile(written(text))).toEqual({
      epochs: 5,
      data: 'cifar10',
      optimizer: { learningRate: 0.01 },
      augment: { flip: true },
    });
  });

  it('is JSON, indented by tabs', () => {
    const config = { $schema: './schema.json', epochs: 5, data: { name: 'folder:a b', validation: 0.25 } };
    expect(readConfigFile(written(JSON.stringify(config, null, '\t'), 'run.json'))).toEqual(config);
  });

  it('may be empty', () => {
    expect(readConfigFile(written('# nothing\n'))).toEqual({});
  });

  it.each<[text: string, line: number, column: number, message: RegExp]>([
    [
      'epochs: 3\noptimizer:\n  learningrate: 0.1\n',
      3,
      3,
      /unknown key 'learningrate' in optimizer: did you mean 'learningRate'\?/,
    ],
    ['lr: 0.1\n', 1, 1, /unknown key 'lr': did you mean 'optimizer\.learningRate'\?/],
    ['Cutout: 4\n', 1, 1, /unknown key 'Cutout': did you mean 'augment\.cutout'\?/],
    ['epoch: 3\n', 1, 1, /unknown key 'epoch': did you mean 'epochs'\?/],
    ['model: resnet5O\n', 1, 8, /model: expected .*, got "resnet5O"; did you mean 'resnet50'\?/],
    ['data: cifar1O\n', 1, 7, /data: .*did you mean 'cifar10'\?/],
    ['data:\n  size: 28\n  name: minst\n', 3, 9, /data\.name: .*did you mean 'mnist'\?/],
    ['epochs: 0', 1, 9, /epochs: expected a whole number of at least 1, got 0\.$/],
    ['schedule:\n  at: [1, x]\n', 2, 11, /schedule\.at\[1\]: expected a number above 0, got "x"\.$/],
    [
      'augment:\n  colorJitter: {hue: 0.7}\n',
      2,
      22,
      /augment\.colorJitter\.hue: expected a number of at least 0 and at most 0\.5, got 0\.7\.$/,
    ],
    ['optimizer:\n', 1, 11, /optimizer: expected a group with any of name, learningRate, .*, got null\.$/],
    ['- 1\n', 1, 1, /expected keys and values, such as 'epochs: 10', got \[1\]/],
    ['epochs: 1\nepochs: 2\n', 2, 1, /keys must be unique/],
    ['{\n\t"data": {\n\t\t"nam": "x"}\n}', 3, 3, /unknown key 'nam' in data: did you mean 'name'\?/],
    ['epochs: [1\n', 2, 1, /expected YAML or JSON/],
  ])('refuses %j at its place', (text, line, column, message) => {
    const error = errorOf(text);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`run.yaml:${line}:${column}: `);
    expect(error.details).toMatchObject({ line, column });
  });

  it('tells the key path, what was expected and what came, for programs', () => {
    expect(errorOf('data: {validation: 2}').details).toMatchObject({
      argument: 'data.validation',
      expected: 'a number above 0 and at most 0.99 or null',
      found: 2,
    });
  });

  it('refuses aliases that multiply themselves', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(errorOf(lines.join('\n')).message).toMatch(/alias/);
  });

  it('must be there', () => {
    expect(() => readConfigFile(join(folder, 'none.yaml'))).toThrow(ConfigError);
    expect(() => readConfigFile(join(folder, 'none.yaml'))).toThrow(/none\.yaml: expected a config file.*ENOENT/);
  });
});
