// residua predict from outside: the classes that the net gives, what images become, folders, broken files, wrong usage.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Color, type Sharp } from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { autocast, cpu, data, interop, models, type nn, tensor, tidy } from '../../lib/index.js';
import { supports } from '../helpers/devices.js';
import { randomizeNorms } from '../interop/random-norms.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = temporaryFolder();
const run = join(folder, 'run');

interface Line {
  file: string;
  classes: { class: number; name: string; probability: number }[];
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Probabilities by class. pixels: [1, channels, height, width] */
function probabilitiesOf(net: nn.Block, pixels: ArrayLike<number>, shape: number[]): number[] {
  return tidy(() => [
    ...net
      .forward(tensor(Float32Array.from(pixels), { shape }))
      .softmax(1)
      .dataSync(),
  ]);
}

/** All classes of a line, by class number. */
const byClass = ({ classes }: Line): number[] =>
  classes.toSorted((a, b) => a.class - b.class).map(({ probability }) => probability);

function expectClose(found: readonly number[], expected: readonly number[], tolerance = 1e-4): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of found.entries()) expect(Math.abs(value - (expected[i] as number))).toBeLessThan(tolerance);
}

describe("a run of the chapter's net", () => {
  const images = join(folder, 'images');
  let fashion: data.Dataset;
  let net: nn.Block;
  const count = 40; // more than one batch

  const fileOf = (i: number): string => join(images, i % 2 ? 'odd' : '', `${String(i).padStart(2, '0')}.png`);

  beforeAll(async () => {
    const args = ['train', '--limit', '64', '--epochs', '1', '--batch-size', '16', '--out', run];
    expect(await residua(args)).toMatchObject({ status: 0 });
    net = models.chapterResNet18();
    await net.loadParameters(join(run, 'weights.safetensors'));
    fashion = await data.fashionMnist({ train: false });
    mkdirSync(join(images, 'odd'), { recursive: true });
    for (let i = 0; i < count; i++) {
      const pixels = fashion.images.subarray(i * 784, (i + 1) * 784);
      await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
        .png()
        .toFile(fileOf(i));
    }
    writeFileSync(join(images, 'notes.txt'), 'no image');
  });

  const expected = (i: number): number[] =>
    probabilitiesOf(
      net,
      Float32Array.from(fashion.images.subarray(i * 784, (i + 1) * 784), (p) => p / 255),
      [1, 1, 28, 28],
    );

  test('a folder, as JSON: every image in order, with the probabilities of the net', async () => {
    const { status, stdout, stderr } = await residua(['predict', run, images, '--json', '--top', '10']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = linesOf(stdout);
    const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => (fileOf(a) < fileOf(b) ? -1 : 1));
    expect(lines.map(({ file }) => file)).toEqual(order.map(fileOf));
    for (const [row, i] of order.entries()) {
      const line = lines[row] as Line;
      expectClose(byClass(line), expected(i));
      for (const { name, class: number } of line.classes) expect(name).toBe(data.fashionMnistLabels[number]);
      const probabilities = line.classes.map(({ probability }) => probability);
      expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    }
  });

  test('as text: one line an image', async () => {
    const { status, stdout } = await residua(['predict', run, fileOf(3), fileOf(0), '--top', '2']);
    expect(status).toBe(0);
    const line = (i: number): string => {
      const best = expected(i)
        .map((probability, number) => ({ probability, name: data.fashionMnistLabels[number] }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, 2);
      return `${fileOf(i)}: ${best.map(({ name, probability }) => `${name} ${(probability * 100).toFixed(1)}%`).join(', ')}\n`;
    };
    expect(stdout).toBe(line(3) + line(0));
  });

  test('colour becomes grey', async () => {
    const colour = join(folder, 'colour.jpg');
    await sharp({ create: { width: 56, height: 28, channels: 3, background: '#ff8000' } })
      .jpeg({ quality: 100 })
      .toFile(colour);
    const { stdout } = await residua(['predict', run, colour, '--json', '--top', '10']);
    const grey = (0.299 * 255 + 0.587 * 128) / 255;
    expectClose(
      byClass(linesOf(stdout)[0] as Line),
      probabilitiesOf(net, new Float32Array(784).fill(grey), [1, 1, 28, 28]),
      0.01,
    );
  });

  test('broken and missing images are reported, the others done, status 1', async () => {
    const cut = join(folder, 'cut.png');
    writeFileSync(cut, readFileSync(fileOf(0)).subarray(0, 100));
    const files = [fileOf(1), cut, fileOf(2), '/nowhere/image.jpg'];
    const text = await residua(['predict', run, ...files]);
    expect(text.status).toBe(1);
    expect(text.stdout.split('\n').map((line) => line.split(':')[0])).toEqual([fileOf(1), fileOf(2), '']);
    expect(text.stderr).toMatch(
      /^error: \S+cut\.png cannot be decoded: [^\n]+\nerror: \/nowhere\/image\.jpg [^\n]+\n$/,
    );
    const json = await residua(['predict', run, ...files, '--json']);
    expect(json.status).toBe(1);
    const lines = linesOf(json.stdout) as (Line & { error?: string })[];
    expect(lines.map(({ file }) => file)).toEqual(files);
    expect(lines.map(({ error }) => error !== undefined)).toEqual([false, true, false, true]);
  });

  test.runIf(supports(cpu(), 'bfloat16'))('--precision bfloat16 computes in that', async () => {
    const ended = await residua(['predict', run, fileOf(0), '--json', '--top', '10', '--precision', 'bfloat16']);
    expect(ended).toMatchObject({ status: 0 });
    net.hybridize();
    const inHalf = autocast('bfloat16', () => expected(0));
    net.hybridize(false);
    expectClose(byClass(linesOf(ended.stdout)[0] as Line), inHalf, 1e-3);
    expect(inHalf).not.toEqual(expected(0));
  });

  test('a name with control characters stays one line, and reaches no terminal as it is', async () => {
    const [good, bad] = [join(folder, 'new\nline.png'), join(folder, 'red\x1b[31m.png')];
    writeFileSync(good, readFileSync(fileOf(0)));
    writeFileSync(bad, 'no image');
    const { stdout, stderr } = await residua(['predict', run, good, bad, '--top', '1']);
    expect(stdout).toMatch(/^\S+new\\u000aline\.png: [^\n]+\n$/);
    expect(stderr).toMatch(/^error: \S+red\\u001b\[31m\.png cannot be decoded: [^\n]+\n$/);
    const json = await residua(['predict', run, good, bad, '--json']);
    expect(linesOf(json.stdout).map(({ file }) => file)).toEqual([good, bad]);
  });

  test('a folder without images', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const { status, stderr } = await residua(['predict', run, empty]);
    expect(status).toBe(1);
    expect(stderr).toBe(`error: ${empty}: expected images (.jpg, .jpeg, .png, .webp) in the folder, found none.\n`);
  });

  test('an empty folder does not end the run', async () => {
    const empty = join(folder, 'empty too');
    mkdirSync(empty);
    const { status, stdout, stderr } = await residua(['predict', run, empty, fileOf(1), '--json']);
    const [nothing, image] = linesOf(stdout) as (Line & { error?: string })[];
    expect({ status, files: [nothing?.file, image?.file] }).toEqual({ status: 1, files: [empty, fileOf(1)] });
    expect(nothing?.error).toContain('found none');
    expect(image?.classes).toHaveLength(5);
    expect(stderr).toBe(`error: ${nothing?.error}\n`);
  });

  test("'-' is one image on standard input", async () => {
    const args = ['predict', run, fileOf(0), '-', fileOf(2), '--json', '--top', '10'];
    const { status, stdout } = await residua(args, { input: (stdin) => stdin.end(readFileSync(fileOf(1))) });
    const lines = linesOf(stdout);
    expect({ status, files: lines.map(({ file }) => file) }).toEqual({ status: 0, files: [fileOf(0), '-', fileOf(2)] });
    for (const [i, line] of lines.entries()) expectClose(byClass(line), expected(i));
    const broken = await residua(['predict', run, '-'], { input: (stdin) => stdin.end('no image') });
    expect(broken).toMatchObject({ status: 1, stdout: '' });
    expect(broken.stderr).toMatch(/^error: standard input cannot be decoded: [^\n]+\n$/);
    const nothing = await residua(['predict', run, '-']);
    expect(nothing.stderr).toMatch(/^error: standard input cannot be decoded: [^\n]+it is empty\.\n$/);
  });

  test('--files-from: the paths in a file, or on standard input, folders too', async () => {
    const text = `${fileOf(0)}\r\n\n${join(images, 'odd')}\n/nowhere.png\n${fileOf(2)}`;
    const list = join(folder, 'list.txt');
    writeFileSync(list, text);
    const odd = Array.from({ length: count / 2 }, (_, i) => fileOf(2 * i + 1));
    const files = [fileOf(4), fileOf(0), ...odd, '/nowhere.png', fileOf(2)];
    const ofFile = await residua(['predict', run, fileOf(4), '--files-from', list, '--json']);
    const ofInput = await residua(['predict', run, fileOf(4), '--files-from', '-', '--json'], {
      input: (stdin) => stdin.end(text),
    });
    for (const { status, stdout } of [ofFile, ofInput]) {
      expect(status).toBe(1); // /nowhere.png
      expect(linesOf(stdout).map(({ file }) => file)).toEqual(files);
    }
    const missing = await residua(['predict', run, '--files-from', '/nowhere.txt']);
    expect(missing).toMatchObject({ status: 1, stdout: '' });
    expect(missing.stderr).toMatch(/^error: The list of images \/nowhere\.txt cannot be read: [^\n]+\n$/);
  });

  test('paths that come one by one are answered one by one', async () => {
    let answered = 0;
    const { status } = await residua(['predict', run, '--files-from', '-', '--json'], {
      input: (stdin) => stdin.write(`${fileOf(0)}\n`),
      onStdout: (stdout, { stdin }) => {
        const lines = stdout.split('\n').length - 1;
        if (lines === answered) return;
        answered = lines;
        if (answered < 3) stdin?.write(`${fileOf(answered)}\n`);
        else stdin?.end(); // without answers it would wait for ever
      },
    });
    expect({ status, answered }).toEqual({ status: 0, answered: 3 });
  });

  test("a record that does not tell the net's input", async () => {
    const damaged = join(folder, 'damaged');
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'weights.safetensors'), readFileSync(join(run, 'weights.safetensors')));
    const record = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    const attempts = [
      '{',
      'null',
      JSON.stringify({ ...record, net: undefined }),
      JSON.stringify({ ...record, net: { ...record.net, inputShape: [2, 28, 28] } }),
    ];
    for (const text of attempts) {
      writeFileSync(join(damaged, 'history.json'), text);
      const { status, stderr } = await residua(['predict', damaged, fileOf(0)]);
      expect({ text, status }).toEqual({ text, status: 1 });
      expect(stderr).toMatch(/^error: \S+history\.json: expected [^\n]+\n$/);
      expect(stderr).not.toContain('should not happen');
    }
  });
});

describe("a file of weights and the net's name", () => {
  const weights = join(folder, 'cifar.safetensors');
  const command = ['predict', '--model', 'cifar-resnet20', '--weights', weights, '--json', '--top', '7'];
  let net: nn.Block;

  beforeAll(async () => {
    net = models.cifarResNet(20, { classes: 7 });
    net.initialize();
    randomizeNorms(net);
    await interop.saveWeights(net, weights, { names: 'torchvision' });
  });

  const predict = async (file: string, ...options: string[]): Promise<number[]> => {
    const { status, stdout, stderr } = await residua([...command, ...options, file]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return byClass(linesOf(stdout)[0] as Line);
  };

  /** For an image of one colour. */
  const expected = (colour: readonly number[], side = 32): number[] =>
    probabilitiesOf(
      net,
      colour.flatMap((value) => new Array(side * side).fill(value)),
      [1, 3, side, side],
    );

  const solid = (width: number, height: number, background: Color, channels: 3 | 4 = 3): Sharp =>
    sharp({ create: { width, height, channels, background } });

  test('the middle of the image, resized, divided by 255 and normalised', async () => {
    const file = join(folder, 'wide.png');
    const middle = await solid(46, 40, '#336699').png().toBuffer();
    await solid(100, 40, '#ffffff')
      .composite([{ input: middle, left: 27, top: 0 }])
      .png()
      .toFile(file);
    const colour = [0x33, 0x66, 0x99].map((value) => value / 255);
    const whole = await predict(await saved(solid(40, 40, '#336699'), 'square.png'));
    expectClose(whole, expected(colour));
    expectClose(await predict(file), whole);
    const normalised = await predict(join(folder, 'square.png'), '--mean', '0.1,0.2,0.3', '--std', '0.5,0.4,0.3');
    expectClose(normalised, expected(colour.map((value, i) => (value - [0.1, 0.2, 0.3][i]!) / [0.5, 0.4, 0.3][i]!)));
    expectClose(await predict(join(folder, 'square.png'), '--size', '40'), expected(colour, 40));
  });

  const saved = async (image: Sharp, name: string): Promise<string> => {
    await image.toFile(join(folder, name));
    return join(folder, name);
  };

  test('EXIF orientation, grey, transparent and WebP images', async () => {
    const band = await solid(48, 16, '#20c040').png().toBuffer();
    const upright = solid(48, 48, '#a03010').composite([{ input: band, left: 0, top: 0 }]);
    const pixels = await upright.png().toBuffer();
    const plain = await predict(await saved(sharp(pixels).png(), 'upright.png'));
    const turned = sharp(await sharp(pixels).rotate(180).png().toBuffer()).withMetadata({ orientation: 3 });
    expectClose(await predict(await saved(turned.png(), 'turned.png')), plain);
    expectClose(await predict(await saved(sharp(pixels).webp({ lossless: true }), 'image.webp')), plain);
    const lying = await predict(
      await saved(sharp(await sharp(pixels).rotate(180).png().toBuffer()).png(), 'lying.png'),
    );
    expect(Math.max(...lying.map((value, i) => Math.abs(value - (plain[i] as number))))).toBeGreaterThan(1e-3);
    const grey = sharp(new Uint8Array(48 * 48).fill(100), { raw: { width: 48, height: 48, channels: 1 } });
    expectClose(await predict(await saved(grey.png(), 'grey.png')), expected([100, 100, 100].map((v) => v / 255)));
    const clear = solid(48, 48, { r: 255, g: 0, b: 0, alpha: 0 }, 4);
    expectClose(await predict(await saved(clear.png(), 'clear.png')), expected([1, 1, 1]));
  });

  test('class names from a file, numbers without', async () => {
    const classes = join(folder, 'names.txt');
    writeFileSync(classes, 'one\ntwo\nthree\nfour\nfive\nsix\nseven');
    const file = await saved(solid(32, 32, '#336699').png(), 'named.png');
    const named = await residua([...command, file, '--classes', classes]);
    expect(
      linesOf(named.stdout)[0]
        ?.classes.map(({ name }) => name)
        .sort(),
    ).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven'].sort());
    const unnamed = await residua([...command, file]);
    for (const { name, class: number } of linesOf(unnamed.stdout)[0]?.classes ?? [])
      expect(name).toBe(`class ${number}`);
  });
});

describe('wrong usage: status 2', () => {
  test.each([
    [[], 'run-and-files'],
    [[run], 'missing argument: images'],
    [[run, '-', '--files-from', '-'], "'-' can be given once"],
    [['--weights', 'w.pth', 'image.jpg'], '--model'],
    [['--model', 'resnet18', run, 'image.jpg'], '--weights'],
    [[run, 'image.jpg', '--top', '0'], '--top'],
  ])('%j', async (args, named) => {
    const { status, stdout, stderr } = await residua(['predict', ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(named);
  });
});
