// residua train --dry-run: what the run would be, and what time and memory it would take.
import { stringify } from 'yaml';
import { backendOf } from '../../device.js';
import { bytes, count, roughDuration } from '../format.js';
import { netSummary } from '../net-summary.js';
import { facts } from '../table.js';
import { measureSpeed } from './measure-steps.js';
import type { RunPlan } from './plan.js';
import { prepareSession, type Session } from './session.js';

/** Evaluation takes no backward pass. */
const evaluationShare = 1 / 3;

/** Prints it all; writes no file. */
export async function dryRun(plan: RunPlan): Promise<void> {
  const session = await prepareSession(plan, plan.resumed !== null);
  try {
    const { net, run } = session;
    console.log(stringify(plan.config, { lineWidth: 0 }));
    console.log(`${netSummary(net, run.net.model, [1, ...run.net.inputShape])}\n`);
    const speed = await measureSpeed(session);
    console.log(facts(estimates(session, speed, plan.resumed?.record.epochs?.length ?? 0), ''));
  } finally {
    await Promise.all([session.train.dispose(), session.validation?.dispose()]);
  }
}

/** `trained`: epochs that a run which goes on has made. */
function estimates(session: Session, imagesPerSecond: number, trained: number): [string, string][] {
  const { run, train, device } = session;
  const { epochs, accumulate } = run.config;
  const left = epochs - trained;
  const images = run.trainImages + run.testImages * evaluationShare;
  const seconds = images / imagesPerSecond;
  return [
    ['training images', count(run.trainImages)],
    ['validation images', count(run.testImages)],
    ['steps per epoch', count(Math.ceil(train.length / accumulate))],
    ['speed', `${count(Math.round(imagesPerSecond))} images/s on ${device}`],
    [
      'estimated time',
      `${roughDuration(seconds * left)} for ${trained > 0 ? `the ${left} left of ` : ''}${epochs} epochs of ${roughDuration(seconds)}`,
    ],
    ['memory of tensors', `${bytes(backendOf(device).memory().peakBytes)} at most`],
    ['memory of the data', bytes(bytesOfData(session))],
    ['memory of the process', `${bytes(process.resourceUsage().maxRSS * 1024 + bytesOfCheckpoint(session))} at most`],
  ];
}

/** A checkpoint copies weights, the optimiser's states and averages into the process. */
function bytesOfCheckpoint({ run }: Session): number {
  const { averageDecay, optimizer } = run.config;
  const states = optimizer.name === 'adamw' ? 2 : Number(optimizer.momentum > 0);
  const copies = 1 + states + Number(averageDecay !== null);
  return 4 * copies * run.parameters;
}

/** Image files stay where they are. */
function bytesOfData({ train, validation }: Session): number {
  const buffers = [train, validation].flatMap((loader) => {
    const dataset = loader?.dataset;
    return dataset && 'images' in dataset ? [dataset.images.buffer] : [];
  });
  return [...new Set(buffers)].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
