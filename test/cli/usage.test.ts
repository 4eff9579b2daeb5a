// The command line from outside: help, version, wrong usage, failures, summary, doctor.
import { describe, expect, test, vi } from 'vitest';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe('help and version', () => {
  test('--help names every command, status 0', async () => {
    const { status, stdout, stderr } = await residua(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const command of ['train', 'eval', 'predict', 'export', 'summary', 'doctor'])
      expect(stdout).toContain(command);
  });

  test.each(['train', 'eval', 'predict', 'export', 'summary', 'doctor'])('%s --help', async (command) => {
    const { status, stdout } = await residua([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: residua ${command}`);
  });

  test('--version is that of package.json', async () => {
    const { status, stdout } = await residua(['--version']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage: status 2, the argument named, nothing on stdout', () => {
  test.each([
    [['train', '--bogus'], '--bogus'],
    [['train', '--epochs', 'many'], '--epochs'],
    [['train', '--epochs', '0'], '--epochs'],
    [['train', '--lr', '-1'], '--lr'],
    [['train', '--resize'], '--resize'],
    [['train', '--device', 'toaster'], '--device'],
    [['train', '--precision', 'bf16'], '--precision'],
    [['eval', 'weights.safetensors', '--precision', 'int8'], '--precision'],
    [['train', 'chapter', 'twice'], 'arguments'],
    [['train', 'another'], 'another'],
    [['train', '--data', '/photos'], 'folder:/photos'],
    [['eval'], 'weights'],
    [['summary'], 'model'],
    [['summary', 'chapter', '--input', '1x224'], '--input'],
    [['dance'], 'dance'],
  ])('%j', async (args, named) => {
    const { status, stdout, stderr } = await residua(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(named);
  });

  test('no command at all prints the help', async () => {
    const { status, stderr } = await residua([]);
    expect(status).toBe(2);
    expect(stderr).toContain('Usage: residua');
  });
});

describe('failures: status 1 and one line on stderr', () => {
  test.each([
    [['eval', '/nowhere/weights.safetensors'], '/nowhere/weights.safetensors'],
    [['train', '--limit', '64', '--out', '/dev/null/run'], '/dev/null/run'],
    [['train', '--data-root', '/nowhere', '--limit', '64'], '/nowhere'],
    [['summary', 'chapter', '--input', '1x1x1000000x1000000'], ''],
  ])('%j', async (args, named) => {
    const { status, stdout, stderr } = await residua(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('should not happen');
  });

  test('--verbose adds the stack', async () => {
    const { status, stderr } = await residua(['eval', '/nowhere/weights.safetensors', '--verbose']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\n {4}at /);
  });
});

describe('summary', () => {
  test("has the chapter's ten output shapes and its number of parameters", async () => {
    const { status, stdout } = await residua(['summary', 'chapter', '--input', '1x1x224x224']);
    expect(status).toBe(0);
    const shapes = ['64, 112, 112', '64, 56, 56', '128, 28, 28', '256, 14, 14', '512, 7, 7', '512, 1, 1'];
    for (const shape of shapes) expect(stdout).toContain(`(1, ${shape})`);
    expect(stdout).toContain('(1, 10)');
    expect(stdout).toContain('11,178,378');
  });
});

describe('doctor', () => {
  test('--json tells the backend, its libraries and the data', async () => {
    const { status, stdout } = await residua(['doctor', '--json']);
    expect(status).toBe(0);
    const diagnosis = JSON.parse(stdout);
    expect(diagnosis.devices[0]).toMatchObject({ name: 'cpu', available: true });
    expect(JSON.stringify(diagnosis.devices[0].details)).toMatch(/onednn/i);
    expect(diagnosis.cores).toBeGreaterThanOrEqual(1);
    expect(diagnosis.addon.exists).toBe(true);
    expect(diagnosis.data.found).toBe(true);
    const gpu = diagnosis.devices[1];
    expect(gpu.name).toBe('gpu(0)');
    if (!gpu.available) expect(gpu.reason.length).toBeGreaterThan(10);
  });

  test('without the addon: status 1, and what helps', async () => {
    const { status, stdout } = await residua(['doctor'], { env: { RESIDUA_ADDON: '/nowhere/residua.node' } });
    expect(status).toBe(1);
    expect(stdout).toContain('cpu: not available');
    expect(stdout).toContain('/nowhere/residua.node');
  });

  test('without the data: still status 0, and how to get them', async () => {
    const { status, stdout } = await residua(['doctor', '--data', '/nowhere']);
    expect(status).toBe(0);
    expect(stdout).toContain('dataset-fashion-mnist');
  });
});
