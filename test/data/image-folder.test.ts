// imageFolder: classes, files, broken images, splits; ImageFiles.
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ImageFiles, imageFolder, split } from '../../lib/data/index.js';
import { DataError } from '../../lib/errors.js';
import { rejection, temporaryFolder } from './idx-files.js';
import { gradient } from './image-bytes.js';
import { type ImageTree, writeImageTree } from './image-tree.js';

const folder = temporaryFolder();
let tree: ImageTree;

beforeAll(async () => {
  tree = await writeImageTree(join(folder.path(), 'tree'));
});

describe('classes', () => {
  test('are the folders that hold images, nested ones by their paths, sorted; files are too', async () => {
    const dataset = await imageFolder(tree.root);
    expect(dataset.classNames).toEqual(['animals/cat', 'animals/dog', 'plane']);
    expect([...dataset.labels]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]);
    expect(dataset.files.map((file) => relative(tree.root, file))).toEqual([
      ...['1.jpg', '2.JPEG', '3.png', '4.webp', '5.jpg', '6.jpg', '7.png'].map((name) => `animals/cat/${name}`),
      ...[0, 1, 2, 3].map((i) => `animals/dog/${i}.jpg`),
      ...['x.png', 'y.jpg', 'z.jpg'].map((name) => `plane/${name}`),
    ]);
    expect(dataset).toMatchObject({ length: 14, channels: 3 });
  });

  test('go as deep as asked, and are numbered as asked', async () => {
    const shallow = await imageFolder(tree.root, { classDepth: 1 });
    expect(shallow.classNames).toEqual(['animals', 'plane']);
    expect([...shallow.labels]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
    const named = await imageFolder(tree.root, { classDepth: 1, classNames: ['plane', 'ship', 'animals'] });
    expect([...named.labels]).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0]);
    const error = await rejection(imageFolder(tree.root, { classNames: ['plane'] }));
    expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file: join(tree.root, 'animals/cat') } });
  });

  test('of other extensions', async () => {
    expect((await imageFolder(tree.root, { extensions: ['.PNG'] })).length).toBe(3);
  });

  test('behind links, which may go in a circle', async () => {
    const root = join(folder.path(), 'links');
    await mkdir(root);
    await symlink(join(tree.root, 'animals'), join(root, 'linked'));
    await symlink(root, join(root, 'circle'));
    await symlink(join(root, 'nothing'), join(root, 'dangling.jpg'));
    expect((await imageFolder(root)).classNames).toEqual(['linked/cat', 'linked/dog']);
  });
});

describe('broken images', () => {
  test('are found beforehand where asked, left out and told', async () => {
    const told: DataError[] = [];
    const dataset = await imageFolder(tree.root, { verify: true, onBroken: (error) => told.push(error) });
    expect(dataset.length).toBe(12);
    expect(dataset.broken.map(({ file }) => file)).toEqual(tree.broken);
    expect(dataset.broken[1]?.reason).toMatch(/premature end|it is damaged/);
    expect(told.map(({ details }) => details.file)).toEqual(tree.broken);
    for (const file of tree.broken) expect(dataset.files).not.toContain(file);
  });

  test('are fatal by default', async () => {
    const error = await rejection(imageFolder(tree.root, { verify: true }));
    expect(error).toMatchObject({ code: 'DATA_ERROR', details: { file: tree.broken[0] } });
    expect(error.message).toMatch(
      /^\S+ cannot be decoded: .+\. To leave such images out: onBroken 'skip' \(--on-broken\)\.$/,
    );
  });

  test('are warned of once', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const dataset = await imageFolder(tree.root, { verify: true, onBroken: 'skip' });
    expect(warn.mock.calls.map(([message]) => message)).toEqual(
      tree.broken.map((file) => expect.stringContaining(file)),
    );
    dataset.reportBroken(new DataError('again', { file: tree.broken[0] }));
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });
});

describe('refusals', () => {
  test('of folders without images in class folders say why', async () => {
    const flat = join(folder.path(), 'flat');
    await mkdir(flat);
    await writeFile(join(flat, 'a.jpg'), await gradient(4, 4).jpeg().toBuffer());
    expect((await rejection(imageFolder(flat))).message).toMatch(/1 images lie in .* itself; move/);
    const none = join(folder.path(), 'none');
    await mkdir(none);
    expect((await rejection(imageFolder(none))).message).toMatch(/no file there ends in \.jpg/);
    const missing = join(folder.path(), 'missing');
    expect(await rejection(imageFolder(missing))).toMatchObject({ code: 'DATA_ERROR', details: { file: missing } });
  });

  test('of options', async () => {
    for (const options of [{ channels: 2 }, { onBroken: 'ignore' }, { classDepth: 0 }, { verify: 1 }, { class: 1 }])
      expect(await rejection(imageFolder(tree.root, options as never))).toMatchObject({ code: 'CONFIG_ERROR' });
  });

  test('of labels that do not fit', () => {
    const files = ['a.jpg', 'b.jpg'];
    for (const labels of [[0], [0, 2], [0, -1]])
      expect(() => new ImageFiles({ files, labels, classNames: ['x', 'y'] })).toThrow(
        expect.objectContaining({ code: 'DATA_ERROR' }),
      );
  });
});

describe('parts', () => {
  test('take and subset keep names and report to the same list', async () => {
    const dataset = await imageFolder(tree.root, { onBroken: () => {} });
    const part = dataset.subset([13, 0]);
    expect([part.length, [...part.labels], part.files]).toEqual([2, [2, 0], [dataset.files[13], dataset.files[0]]]);
    expect(dataset.take(3).files).toEqual(dataset.files.slice(0, 3));
    expect(dataset.take(99).length).toBe(14);
    part.reportBroken(new DataError('x', { file: 'f', found: 'r' }));
    expect(dataset.broken).toEqual([{ file: 'f', reason: 'r' }]);
    expect(() => dataset.subset([14])).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR' }));
    expect(() => dataset.take(-1)).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR' }));
  });

  test('split: class by class, without overlap, the same for a seed', async () => {
    const dataset = await imageFolder(tree.root);
    const [train, validation] = split(dataset, 0.3, { seed: 4 });
    expect([...validation.labels]).toEqual([0, 0, 1, 2]);
    expect([...train.files, ...validation.files].sort()).toEqual([...dataset.files].sort());
    expect(split(dataset, 0.3, { seed: 4 })[1].files).toEqual(validation.files);
    const others = [5, 6, 7, 8].map((seed) => split(dataset, 0.3, { seed })[1].files.join());
    expect(others.some((files) => files !== validation.files.join())).toBe(true);
    // Classes of at least two images are in both.
    expect([...split(dataset, 0.01)[1].labels]).toEqual([0, 1, 2]);
    expect([...split(dataset, 0.99)[0].labels]).toEqual([0, 1, 2]);
    for (const fraction of [0, 1, -1, Number.NaN])
      expect(() => split(dataset, fraction)).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR' }));
  });
});
