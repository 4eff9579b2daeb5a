// residua compare: its table, its JSON, the files that it writes, and what it refuses.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { earlierRecord, sampleMetrics, sampleRecord, stepsOfEpoch, writeRun } from '../report/sample-run.js';
import { residua } from './run-cli.js';

const folder = temporaryFolder();

const first = writeRun(join(folder, 'first'), sampleRecord(), sampleMetrics(8 * stepsOfEpoch));
const better = sampleRecord({ epochs: 12, better: 0.02 });
better.config.optimizer.learningRate = 0.4;
const second = writeRun(join(folder, 'second'), better);
const earlier = writeRun(join(folder, 'earlier'), earlierRecord());

test('prints results beside each other, then where the configs differ', async () => {
  const { status, stdout, stderr } = await residua(['compare', first, second, earlier]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual(['', 'first', 'second', 'earlier']);
  expect(rows).toContainEqual(['best accuracy', '90.10%', '92.10%', '87.50%']);
  expect(rows).toContainEqual(['images/s', '1,024', '-', '2,000']);
  expect(rows).toContainEqual(['parameters', '269,722', '269,722', '-']);
  const differences = stdout.slice(stdout.indexOf('Config that differs:')).trimEnd().split('\n').slice(3);
  expect(differences.map((line) => line.split(/ {2,}/))).toEqual([
    ['epochs', '8', '12', '3'],
    ['batchSize', '128', '128', '256'],
    ['optimizer.learningRate', '0.1', '0.4', '0.05'],
  ]);
});

test('--json has everything in numbers', async () => {
  const { status, stdout } = await residua(['compare', first, second, '--json']);
  expect(status).toBe(0);
  const { runs, config } = JSON.parse(stdout);
  expect(runs).toMatchObject([
    { name: 'first', folder: first, parameters: 269_722, imagesPerSecond: 1024, best: { epoch: 8, top1: 0.901 } },
    { name: 'second', folder: second, seconds: 738, imagesPerSecond: null, plannedEpochs: 12, unfinished: false },
  ]);
  expect(runs[1].epochs).toHaveLength(12);
  expect(runs[1].last).toEqual(runs[1].epochs[11]);
  expect(config).toEqual({ epochs: [8, 12], 'optimizer.learningRate': [0.1, 0.4] });
});

test('--html and --svg write files, and nothing else does', async () => {
  const [page, picture] = [join(folder, 'compare.html'), join(folder, 'compare.svg')];
  const { status, stderr } = await residua(['compare', first, second, '--html', page, '--svg', picture]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: `Wrote ${page}\nWrote ${picture}\n` });
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*Comparison of 2 runs[\s\S]*<\/html>\n$/);
  expect(readFileSync(picture, 'utf8')).toMatch(/^<svg [\s\S]*Comparison of 2 runs[\s\S]*<\/svg>\n$/);
  expect(existsSync(join(first, 'compare.html'))).toBe(false);
});

test('a folder that is no run, and a file that cannot be written: one line, status 1', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const refused = await residua(['compare', first, empty]);
  expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 1, stdout: '' });
  expect(refused.stderr).toBe(
    `error: ${empty}: expected the folder of a run, found neither history.json nor config.json in it. 'residua train' writes such folders.\n`,
  );
  const unwritable = await residua(['compare', first, second, '--svg', '/nowhere/compare.svg']);
  expect(unwritable.status).toBe(1);
  expect(unwritable.stderr).toMatch(
    /^error: --svg expected a file that can be written, got '\/nowhere\/compare\.svg': [^\n]+\n$/,
  );
});

test('one run is nothing to compare: status 2', async () => {
  const { status, stderr } = await residua(['compare', first]);
  expect(status).toBe(2);
  expect(stderr).toContain("missing required argument 'others'");
});
