// Execution plans on disk (RESIDUA_CUDNN_PLANS): kept, read back, and made anew where a file is not what it should be. Each
// run is a process of its own, as that is what plans are kept for.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testDevices } from '../helpers/devices.js';

const script = fileURLToPath(new URL('./plan-store-run.ts', import.meta.url));
const hasGpu = testDevices.some(({ name }) => name.startsWith('gpu'));

interface Run {
  status: number | null;
  sum: number;
  errors: string;
}

/** A convolution forward and backward on gpu(0) in a new process. */
function runProcess(folder: string, settings: Record<string, string> = {}): Promise<Run> {
  const usual = { RESIDUA_TF32: '1', RESIDUA_CUDNN_BENCHMARK: '0' };
  const env = { ...process.env, ...usual, RESIDUA_CUDNN_PLANS: folder, ...settings };
  const child = spawn(process.execPath, ['--import', 'tsx', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, sum: Number(output), errors }));
  });
}

describe.skipIf(!hasGpu)(`plans on disk${hasGpu ? '' : ' (skipped: no gpu(0))'}`, () => {
  let folder = '';
  let plans = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'residua-plans-'));
    plans = join(folder, 'deep', 'plans');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const files = () => readdirSync(plans).sort();
  const contents = () => files().map((file) => readFileSync(join(plans, file), 'utf8'));

  /** Makes the plans and dates their files back, so that a file written anew can be told. */
  async function makePlans(): Promise<Run> {
    const run = await runProcess(plans);
    expect(run.errors).toBe('');
    expect(run.status).toBe(0);
    for (const file of files()) utimesSync(join(plans, file), 1e9, 1e9);
    return run;
  }
  const rewritten = () => files().filter((file) => statSync(join(plans, file)).mtimeMs !== 1e12);

  test('are written by the first process and read by the next', async () => {
    const first = await makePlans();
    expect(files().length).toBeGreaterThanOrEqual(3); // forward, backward data, backward weights
    expect(files().every((file) => /^[0-9a-f]{16}\.plan$/.test(file))).toBe(true);
    const second = await runProcess(plans);
    expect(second).toEqual(first);
    expect(rewritten()).toEqual([]);
  });

  test('are others without TF32, and others when candidates are timed', async () => {
    await makePlans();
    const kept = files();
    for (const settings of [{ RESIDUA_TF32: '0' }, { RESIDUA_CUDNN_BENCHMARK: '1' }] as Record<string, string>[]) {
      const before = files().length;
      const run = await runProcess(plans, settings);
      expect(run.errors).toBe('');
      expect(files().length).toBeGreaterThan(before);
    }
    expect(rewritten().filter((file) => kept.includes(file))).toEqual([]);
  });

  const spoil: Record<string, (file: string) => void> = {
    empty: (file) => truncateSync(file, 0),
    'cut short': (file) => truncateSync(file, statSync(file).size - 1),
    'changed in one byte': (file) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 10]! ^= 1;
      writeFileSync(file, bytes);
    },
    'something else': (file) => writeFileSync(file, 'not a plan\n'.repeat(1000)),
    'whole, but with a plan that cuDNN refuses': (file) =>
      writeFileSync(file, withPlan(readFileSync(file, 'utf8'), '{}')),
  };

  test.each(Object.keys(spoil))('are made anew where a file is %s', async (how) => {
    const first = await makePlans();
    const whole = contents();
    for (const file of files()) spoil[how]!(join(plans, file));
    expect(contents()).not.toEqual(whole);
    const second = await runProcess(plans);
    expect(second).toEqual(first);
    expect(contents()).toEqual(whole);
  });

  test('are written by several processes at once', async () => {
    const runs = await Promise.all([runProcess(plans), runProcess(plans), runProcess(plans)]);
    for (const run of runs) expect(run).toEqual(runs[0]);
    expect(runs[0]?.status).toBe(0);
    expect(files().every((file) => file.endsWith('.plan'))).toBe(true); // no temporary file is left
    for (const file of files()) utimesSync(join(plans, file), 1e9, 1e9);
    expect(await runProcess(plans)).toEqual(runs[0]);
    expect(rewritten()).toEqual([]);
  });

  test('a folder that cannot be made is said once, and nothing fails', async () => {
    const first = await makePlans();
    const blocked = join(folder, 'file', 'plans');
    writeFileSync(join(folder, 'file'), '');
    const run = await runProcess(blocked);
    expect(run.status).toBe(0);
    expect(run.sum).toBe(first.sum);
    expect(run.errors.match(/plans of cuDNN cannot be kept in/g)).toHaveLength(1);
  });

  test('a folder in the place of a file is passed over', async () => {
    const first = await makePlans();
    const name = files()[0]!;
    rmSync(join(plans, name));
    mkdirSync(join(plans, name));
    const run = await runProcess(plans);
    expect(run.status).toBe(0);
    expect(run.sum).toBe(first.sum);
  });

  test('none are kept where the setting is empty', async () => {
    const run = await runProcess('');
    expect(run.status).toBe(0);
    expect(run.errors).toBe('');
    expect(existsSync(plans)).toBe(false);
  });
});

/** The file with another plan in it, all sizes and the checksum right (native/cuda/plan_store.cc). */
function withPlan(file: string, plan: string): string {
  const head = 'residua cuDNN plan 1\n';
  let rest = file.slice(head.length + 17);
  const take = () => {
    const end = rest.indexOf('\n');
    const size = Number(rest.slice(0, end));
    const text = rest.slice(end + 1, end + 1 + size);
    rest = rest.slice(end + 1 + size + 1);
    return text;
  };
  const sized = (text: string) => `${text.length}\n${text}\n`;
  const body = sized(take()) + sized(take()) + sized(plan);
  let hash = 14695981039346656037n;
  for (const byte of Buffer.from(body)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 1099511628211n);
  return `${head}${hash.toString(16).padStart(16, '0')}\n${body}`;
}
