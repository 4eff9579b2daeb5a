// The learning-rate schedule of a config: epochs become optimiser steps.
import {
  CosineScheduler,
  FactorScheduler,
  type LRScheduler,
  MultiFactorScheduler,
  OneCycleScheduler,
  PolyScheduler,
} from '../optim/lr-scheduler.js';
import type { TrainConfig } from './train-config.js';

/** Undefined for a rate that never changes. `stepsPerEpoch`: optimiser steps, not batches. */
export function schedulerOf(
  { schedule, optimizer, epochs }: Pick<TrainConfig, 'schedule' | 'optimizer' | 'epochs'>,
  stepsPerEpoch: number,
): LRScheduler | undefined {
  const { name, at, factor, power } = schedule;
  const { learningRate: baseLr } = optimizer;
  const steps = (count: number): number => Math.round(count * stepsPerEpoch);
  const maxUpdate = epochs * stepsPerEpoch;
  const warmupSteps = Math.min(steps(schedule.warmup), maxUpdate - 1);
  const common = { baseLr, warmupSteps, warmupBeginLr: schedule.warmupFrom * baseLr };
  const finalLr = schedule.final * baseLr;
  switch (name) {
    case 'constant':
      return warmupSteps === 0 ? undefined : new FactorScheduler({ ...common, step: maxUpdate });
    case 'step':
      return new FactorScheduler({ ...common, step: Math.max(1, steps(at as number)), factor, stopFactorLr: 0 });
    case 'multi-step':
      return new MultiFactorScheduler({ ...common, step: distinct((at as number[]).map(steps)), factor });
    case 'cosine':
      return new CosineScheduler({ ...common, maxUpdate, finalLr });
    case 'polynomial':
      return new PolyScheduler({ ...common, maxUpdate, finalLr, pwr: power });
    case 'one-cycle':
      return new OneCycleScheduler({
        baseLr,
        maxUpdate,
        riseSteps: schedule.warmup * stepsPerEpoch,
        beginFactor: schedule.warmupFrom,
        finalFactor: schedule.final,
      });
  }
}

/** Epochs of few steps may end after the same one: each decay needs a step of its own. */
function distinct(steps: readonly number[]): number[] {
  let last = 0;
  return steps.map((step) => {
    last = Math.max(step, last + 1);
    return last;
  });
}
