// Images that cannot be decoded, in the record of a run that is resumed: those of before stay, and none is there twice.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';
import { tinyEnv } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();
const image = (part: string, name: string): string => join(folder, 'photos', part, 'cat', `${name}.png`);

async function writePart(part: string, broken: readonly string[]): Promise<void> {
  for (const [i, name] of ['cat', 'dog'].entries()) {
    mkdirSync(join(folder, 'photos', part, name), { recursive: true });
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 200 * i, g: 80, b: 0 } } });
    for (let n = 0; n < 4; n++)
      await picture
        .clone()
        .png()
        .toFile(join(folder, 'photos', part, name, `${n}.png`));
  }
  for (const name of broken) writeFileSync(image(part, name), 'no picture');
}

/** Files of the record, relative to the images' folder. */
function recorded(): string[] {
  const { brokenImages } = JSON.parse(readFileSync(join(folder, 'run', 'history.json'), 'utf8'));
  return brokenImages
    .map(({ file }: { file: string }) => file.slice(file.indexOf('photos/') + 'photos/'.length))
    .sort();
}

test('a resumed run lists those met before it beside its own', async () => {
  await writePart('train', ['0', '1']);
  await writePart('val', ['2']);
  const net = ['--model', 'resnet', '--model-option', 'blocks=1', '--model-option', 'widths=8', '--size', '8'];
  const how = ['--epochs', '1', '--batch-size', '4', '--on-broken', 'skip', '--no-tune', '--no-tensorboard'];
  const options = { cwd: folder, env: tinyEnv };
  const first = await residua(['train', '--data', 'folder:photos', ...net, ...how, '--out', 'run'], options);
  expect(first).toMatchObject({ status: 0 });
  expect(recorded()).toEqual(['train/cat/0.png', 'train/cat/1.png', 'val/cat/2.png']);

  const good = readdirSync(join(folder, 'photos', 'train', 'dog'))[0] as string;
  writeFileSync(image('train', '0'), readFileSync(join(folder, 'photos', 'train', 'dog', good))); // mended
  writeFileSync(image('train', '3'), 'no picture'); // broken since then
  const second = await residua(['train', '--resume', 'run', '--epochs', '2'], options);
  expect(second).toMatchObject({ status: 0 });
  expect(recorded()).toEqual(['train/cat/0.png', 'train/cat/1.png', 'train/cat/3.png', 'val/cat/2.png']);
  expect(second.stderr).toContain('Left out: 4 images');
});
