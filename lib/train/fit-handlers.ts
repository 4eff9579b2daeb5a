// The events of `fit`: what handlers see and may do.
import type { ClassificationMetrics } from './confusion.js';
import type { FitRun } from './fit-run.js';

/** After each optimiser step. */
export interface FitBatch {
  /** Counted from 1. */
  epoch: number;
  /** Batches of the epoch that were used, this one included. */
  batch: number;
  /** Batches of an epoch; null where the iterable does not tell. */
  batches: number | null;
  /** Optimiser steps since the beginning of training, this one included. */
  step: number;
  /** Mean loss of this step's images. */
  stepLoss: number;
  /** Mean loss of an image, over the epoch so far. */
  loss: number;
  /** Accuracy over the epoch so far, from 0 to 1; with mixup against the first label. */
  accuracy: number;
  learningRate: number;
  /** Images of this step. */
  images: number;
  /** Seconds of this epoch in this process. */
  seconds: number;
}

/** After each epoch. Plain data. */
export interface FitEpoch {
  /** Counted from 1. */
  epoch: number;
  step: number;
  loss: number;
  trainAccuracy: number;
  /**
   * Null without validation data. Of the averaged weights, where there are any. The confusion matrix is empty in epochs before the last
   * that are not the best.
   */
  validation: ClassificationMetrics | null;
  learningRate: number;
  /** Seconds of this epoch in this process. */
  seconds: number;
}

/** A loss that was NaN or infinite. */
export interface FitNumericProblem {
  epoch: number;
  /** Its first batch in the epoch, counted from 1. */
  batch: number;
  /** The step that was not made, counted from 1: where it is skipped, the next one has the same number. */
  step: number;
  loss: number;
  /** Structural name of the first layer with NaN or infinity; 'input' or 'loss' where it is none. */
  layer: string;
  action: 'skip' | 'stop' | 'rollback';
  /** The path of the checkpoint that is gone back to; null for another action. */
  checkpoint: string | null;
}

export interface FitHistory {
  device: string;
  epochs: FitEpoch[];
  /** Whether the signal ended the run. */
  aborted: boolean;
  /** Why a handler ended it; null where none did. */
  stopped: string | null;
  /** The last checkpoint and the best one; null where there is none. */
  lastCheckpoint: string | null;
  bestCheckpoint: string | null;
}

type Awaitable = void | Promise<void>;

/** Any of these may be missing. They are awaited in the order of the handlers; an error ends the run. */
export interface FitHandler {
  /** Under which name `state` is kept in checkpoints. */
  readonly name?: string;
  trainBegin?(run: FitRun): Awaitable;
  epochBegin?(run: FitRun): Awaitable;
  batchEnd?(run: FitRun, batch: FitBatch): Awaitable;
  numericProblem?(run: FitRun, problem: FitNumericProblem): Awaitable;
  epochEnd?(run: FitRun, epoch: FitEpoch): Awaitable;
  checkpointSaved?(run: FitRun, path: string): Awaitable;
  trainEnd?(run: FitRun, history: FitHistory): Awaitable;
  /** What the handler has to know after a resumption; plain data. */
  state?(): unknown;
  restore?(state: unknown): void;
}
