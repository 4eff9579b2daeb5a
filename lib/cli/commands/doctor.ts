// residua doctor: what is there, what is not and why, and how to get it.
import { existsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { fashionMnist, fashionMnistFolders } from '../../data/fashion-mnist.js';
import { type DeviceInfo, devices } from '../../device.js';
import { addonFile, native } from '../../native.js';
import { packageVersion } from '../../version.js';
import { hostFacts } from '../environment.js';
import { exitStatus } from '../exit-status.js';
import { bytes } from '../format.js';
import { facts } from '../table.js';

interface Diagnosis {
  residua: string;
  node: string;
  system: string;
  processor: string;
  /** Cores that this process may use; null without the addon. */
  cores: number | null;
  memoryBytes: number;
  freeMemoryBytes: number;
  addon: { file: string; exists: boolean };
  devices: DeviceInfo[];
  data: {
    found: boolean;
    /** The folder with the files; null where there is none. */
    folder: string | null;
    trainImages: number;
    testImages: number;
    reason?: string;
  };
  environment: Record<string, string>;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Shows backends, libraries, threads and data, and why something is missing. Status 0 where the CPU backend works.',
    )
    .option('--json', 'print JSON')
    .option('--data <folder>', 'folder of the data set (default: RESIDUA_DATA, then the usual places)')
    .action(doctor);
}

async function doctor({ json, data }: { json?: boolean; data?: string }): Promise<void> {
  const diagnosis = await diagnose(data);
  console.log(json ? JSON.stringify(diagnosis, null, 2) : asText(diagnosis));
  const cpuWorks = diagnosis.devices.some((device) => device.name === 'cpu' && device.available);
  process.exitCode = cpuWorks ? exitStatus.done : exitStatus.failed;
}

async function diagnose(root: string | undefined): Promise<Diagnosis> {
  const found = devices();
  const cpuWorks = found.some((device) => device.name === 'cpu' && device.available);
  return {
    residua: packageVersion(),
    ...hostFacts(),
    cores: cpuWorks ? native().availableCores() : null,
    freeMemoryBytes: freemem(),
    addon: { file: addonFile(), exists: existsSync(addonFile()) },
    devices: found,
    data: await findData(root),
    environment: residuaVariables(),
  };
}

async function findData(root: string | undefined): Promise<Diagnosis['data']> {
  const holdsFiles = (folder: string): boolean =>
    ['', '.gz'].some((ending) => existsSync(join(folder, `train-images-idx3-ubyte${ending}`)));
  const folder = fashionMnistFolders(root).find(holdsFiles) ?? null;
  try {
    const [train, test] = [await fashionMnist({ train: true, root }), await fashionMnist({ train: false, root })];
    return { found: true, folder, trainImages: train.length, testImages: test.length };
  } catch (error) {
    return { found: false, folder, trainImages: 0, testImages: 0, reason: (error as Error).message };
  }
}

function residuaVariables(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => /^RESIDUA_/.test(entry[0]) && entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}

function asText(d: Diagnosis): string {
  const variables = Object.entries(d.environment);
  return [
    `residua ${d.residua}`,
    facts([
      ['Node', d.node],
      ['system', d.system],
      ['processor', `${d.processor}, ${d.cores ?? '?'} cores for this process`],
      ['memory', `${bytes(d.memoryBytes)}, ${bytes(d.freeMemoryBytes)} free`],
      ['addon', `${d.addon.file}${d.addon.exists ? '' : ' (missing)'}`],
      ...variables,
    ]),
    ...d.devices.map(deviceText),
    'Fashion-MNIST',
    d.data.found
      ? facts([
          ['found', d.data.folder ?? ''],
          ['images', `${d.data.trainImages} for training, ${d.data.testImages} for tests; contents checked`],
        ])
      : indented(d.data.reason ?? ''),
  ].join('\n');
}

function deviceText(device: DeviceInfo): string {
  if (!device.available) return `${device.name}: not available\n${problemText(device)}`;
  return `${device.name}: works\n${facts(Object.entries(device.details))}`;
}

function problemText({ problem, reason = '' }: DeviceInfo): string {
  if (!problem) return indented(reason);
  return facts([
    ['looked for', problem.lookedFor],
    ['found', problem.found],
    ['remedy', problem.remedy],
  ]);
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
