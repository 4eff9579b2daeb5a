// From a folder of pictures to a report and an evaluation, through the installed command: the whole way of a user with own pictures.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { installCommand } from './installed-command.js';
import { brokenIn, photoClasses, writePhotos } from './photo-folder.js';
import { tinyEnv } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const count = 200;
let folder: string;
let run: string;
let residua: ReturnType<typeof installCommand>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'residua-photos-'));
  residua = installCommand(join(folder, 'installed'));
  run = join(folder, 'run');
  await writePhotos(join(folder, 'photos'), count);
  await writePhotos(join(folder, 'others'), 40);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('residua train --data folder:PATH', () => {
  beforeAll(async () => {
    const net = ['--model', 'resnet', '--model-option', 'blocks=1,1', '--model-option', 'widths=8,16', '--size', '32'];
    const how = ['--epochs', '2', '--batch-size', '8', '--lr', '0.05', '--workers', '1', '--no-tune', '--seed', '3'];
    const args = ['train', '--data', 'folder:photos', ...net, ...how, '--out', 'run'];
    const { status, stdout, stderr } = await residua(args, { cwd: folder, env: tinyEnv });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^training on cpu\nepoch 1, loss .*\nepoch 2, loss .*\n$/);
    expect(stdout).not.toContain('top-5'); // of four classes
    expect(stderr.match(/It is left out\./g)).toHaveLength(brokenIn(count)); // each told once, with its path
    expect(stderr).toMatch(/^warning: \S+photos\/(animals|things)\/\w+\/\d+\.jpg cannot be decoded/m);
    for (const name of photoClasses) expect(stderr).toContain(name);
    expect(stderr).toMatch(/Best epoch: [12] of 2, top-1 \d+\.\d\d% of \d+ images\./);
    expect(stderr).toContain(`Left out: ${brokenIn(count)} images that could not be decoded; report.html lists them.`);
    expect(stderr).toMatch(/Wrote run: .*report\.html/);
  });

  test('leaves everything of a run in its folder', () => {
    const files = ['checkpoints', 'config.json', 'history.json', 'metrics.jsonl', 'report.html', 'tensorboard'];
    expect(readdirSync(run).sort()).toEqual([...files, 'weights.safetensors']);
    expect(readdirSync(join(run, 'checkpoints')).length).toBeGreaterThan(0);
    expect(readdirSync(join(run, 'tensorboard'))).toEqual([expect.stringMatching(/^events\.out\.tfevents\./)]);
    const page = readFileSync(join(run, 'report.html'), 'utf8');
    for (const name of photoClasses) expect(page).toContain(name);
  });

  test('config.json and history.json tell all of it', () => {
    const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      model: 'resnet',
      modelOptions: { blocks: [1, 1], widths: [8, 16], stem: 'cifar' },
      data: { name: `folder:${join(folder, 'photos')}`, size: 32, validation: 0.2, onBroken: 'skip', workers: 1 },
      epochs: 2,
      device: 'cpu',
    });
    const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    expect(history.config).toEqual(config);
    expect(history.net).toMatchObject({
      classNames: photoClasses,
      inputShape: [3, 32, 32],
      options: { widths: [8, 16] },
    });
    expect(history).toMatchObject({ trainImages: 160, testImages: 40, interrupted: false, stopped: null });
    expect(history.parameters).toBeGreaterThan(3000);
    expect(history.peakMemory).toBeGreaterThan(2 ** 25);
    const left = history.brokenImages.map(({ file }: { file: string }) => file);
    const page = readFileSync(join(run, 'report.html'), 'utf8').replaceAll('<wbr>', '');
    expect(new Set(left).size).toBe(brokenIn(count));
    for (const file of left) expect(page).toContain(file);
    expect(history.epochs.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2]);
    const { confusion, images } = history.epochs[1].validation;
    expect(confusion.flat().reduce((sum: number, n: number) => sum + n, 0)).toBe(images);
  });

  test('learns colours', () => {
    const { epochs } = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    const best = Math.max(...epochs.map((epoch: { validation: { top1: number } }) => epoch.validation.top1));
    expect(best).toBeGreaterThan(0.5); // four classes
  });

  test('eval on its own validation images gives the accuracy of the best epoch', async () => {
    const { status, stdout } = await residua(['eval', run, '--no-tune', '--json'], { env: tinyEnv });
    expect(status).toBe(0);
    const { epochs } = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
    const best = Math.max(...epochs.map((epoch: { validation: { top1: number } }) => epoch.validation.top1));
    expect(JSON.parse(stdout).accuracy).toBeCloseTo(best, 12);
  });

  test('eval on another folder: accuracies, a row a class, what is taken for what', async () => {
    const args = ['eval', join(run, 'weights.safetensors'), '--data', `folder:${join(folder, 'others')}`, '--no-tune'];
    const asJson = await residua([...args, '--json'], { env: tinyEnv });
    expect(asJson).toMatchObject({ status: 0 });
    const evaluation = JSON.parse(asJson.stdout);
    expect(evaluation).toMatchObject({ images: 40 - brokenIn(40), resize: 32, top5: 1, model: 'resnet' });
    const { perClass, confusion, images } = evaluation;
    expect(perClass.map(({ name }: { name: string }) => name)).toEqual(photoClasses);
    const correct = perClass.reduce((sum: number, entry: { correct: number }) => sum + entry.correct, 0);
    expect(evaluation.accuracy).toBeCloseTo(correct / images, 12);
    for (const [i, { recall, precision, correct: right }] of perClass.entries()) {
      const sum = (counts: number[]): number => counts.reduce((total, n) => total + n, 0);
      const column = sum(confusion.map((row: number[]) => row[i]));
      expect(right).toBe(confusion[i][i]);
      expect(recall).toBeCloseTo(right / sum(confusion[i]), 12);
      expect(precision).toBe(column === 0 ? null : right / column);
    }
    const text = await residua(args, { env: tinyEnv });
    expect(text.stderr.match(/^warning: \S+\.jpg cannot be decoded: .* It is left out\.$/gm)).toHaveLength(
      brokenIn(40),
    );
    expect(text.stderr).not.toContain('(node:');
    expect(text.stdout).toMatch(/^38 images of 32x32 pixels on cpu\nloss \d+\.\d{4}, acc [01]\.\d{4}\n/);
    expect(text.stdout).toMatch(/^class +images +precision +recall$/m);
  });

  test('eval of a list on standard input: as of the folder; a file of no class is an error', async () => {
    const others = join(folder, 'others');
    const args = ['eval', run, '--no-tune', '--json'];
    const whole = await residua([...args, '--data', `folder:${others}`], { env: tinyEnv });
    const photos = readdirSync(others, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jpg'));
    const paths = photos.map((name) => join(others, name)).sort();
    const list = (text: string) => ({ env: tinyEnv, input: (stdin: Writable) => void stdin.end(text) });
    const listed = await residua([...args, '--files-from', '-'], list(`${paths.join('\n')}\n`));
    expect(listed).toMatchObject({ status: 0 });
    expect(JSON.parse(listed.stdout)).toEqual({ ...JSON.parse(whole.stdout), data: 'standard input' });
    const outside = await residua([...args, '--files-from', '-'], list('/elsewhere/1.jpg\n'));
    expect(outside).toMatchObject({ status: 1, stdout: '' });
    expect(outside.stderr).toContain('/elsewhere/1.jpg: expected a file in a folder of a class: animals/cat');
    const none = await residua([...args, '--files-from', '-']);
    expect(none).toMatchObject({
      status: 1,
      stderr: 'error: standard input: expected a path in each line, found none.\n',
    });
    const both = await residua([...args, '--files-from', '-', '--data', `folder:${others}`]);
    expect(both).toMatchObject({ status: 2, stdout: '' });
  });

  test('predict and eval with damaged weights: an error, no figures', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(run, damaged, { recursive: true });
    const file = join(damaged, 'weights.safetensors');
    const bytes = readFileSync(file);
    const header = Number(bytes.readBigUInt64LE(0));
    const tensors = JSON.parse(bytes.toString('utf8', 8, 8 + header));
    bytes.writeFloatLE(Number.NaN, 8 + header + tensors['fc.bias'].data_offsets[0]);
    writeFileSync(file, bytes);
    const photo = join(folder, 'others', 'animals', 'cat', '000.jpg');
    const predicted = await residua(['predict', damaged, photo, '--json', '--no-tune'], { env: tinyEnv });
    expect(predicted.status).toBe(1);
    const error = `${photo}: The net gave no probabilities but NaN: its weights may be damaged.`;
    expect(JSON.parse(predicted.stdout)).toEqual({ file: photo, error });
    const evaluated = await residua(['eval', damaged, '--json', '--no-tune'], { env: tinyEnv });
    expect(evaluated).toMatchObject({ status: 1, stdout: '' });
    expect(evaluated.stderr).toContain('is NaN: the net');
  });

  test('eval says which images these were', async () => {
    const own = await residua(['eval', run, '--no-tune'], { env: tinyEnv });
    expect(own.stdout).toMatch(/^\d+ validation images of 32x32 pixels on cpu\n/);
    for (const [name, part] of [
      ['val', 'validation'],
      ['test', 'test'], // wins over val
    ] as const) {
      for (const child of ['train', name]) await writePhotos(join(folder, 'parts', child), 8);
      const { stdout } = await residua(['eval', run, '--data', 'folder:parts', '--no-tune'], {
        cwd: folder,
        env: tinyEnv,
      });
      expect(stdout).toMatch(new RegExp(`^7 ${part} images of 32x32 pixels on cpu\\n`));
    }
  });

  test('eval at another size than the run had', async () => {
    const { status, stdout } = await residua(['eval', run, '--size', '48', '--no-tune', '--json'], { env: tinyEnv });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ resize: 48, images: expect.any(Number) });
  });

  test('eval refuses classes that the net does not know, and data of another kind', async () => {
    const cats = await residua(['eval', run, '--data', `folder:${join(folder, 'photos', 'animals')}`]);
    expect(cats).toMatchObject({ status: 1, stdout: '' });
    expect(cats.stderr).toMatch(/^error: .*animals\/cat is not one of the classes[^\n]*\n$/);
    const fashion = await residua(['eval', run, '--data', 'fashion-mnist']);
    expect(fashion.stderr).toContain('expected images of 3 channels in 4 classes');
  });

  test('predict takes the run', async () => {
    const photo = join(folder, 'others', 'animals', 'cat', '000.jpg');
    const { status, stdout } = await residua(['predict', run, photo, '--top', '1'], { env: tinyEnv });
    expect(status).toBe(0);
    expect(stdout).toMatch(/animals|things/);
  });

  test('never writes over another run', async () => {
    const args = ['train', '--data', 'folder:photos', '--size', '8', '--limit', '8', '--out', 'run'];
    const { status, stdout, stderr } = await residua(args, { cwd: folder, env: tinyEnv });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/holds a run already/);
    expect(existsSync(join(run, 'report.html'))).toBe(true);
  });
});
