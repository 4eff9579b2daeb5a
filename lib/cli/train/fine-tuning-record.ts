// The fine-tuning options of a run as plain data, so that a resumed run has them too.
import type { FineTuningOptions } from '../fine-tuning.js';

/** As the options, with regular expressions as text. */
export interface FineTuningRecord {
  replaceHead?: boolean;
  inChannels?: 'sum' | 'repeat';
  freeze?: string;
  freezeStatistics?: string | true;
  lrMult?: MultiplierRecord[];
  wdMult?: MultiplierRecord[];
}

type MultiplierRecord = { pattern: string; factor: number };
type Multipliers = FineTuningOptions['lrMult'];

/** Undefined where nothing of it was asked for. */
export function recordOfFineTuning(options: FineTuningOptions): FineTuningRecord | undefined {
  const { replaceHead, inChannels, freeze, freezeStatistics, lrMult, wdMult } = options;
  const record: FineTuningRecord = {
    replaceHead,
    inChannels,
    freeze: freeze?.source,
    freezeStatistics: freezeStatistics instanceof RegExp ? freezeStatistics.source : freezeStatistics,
    lrMult: toRecords(lrMult),
    wdMult: toRecords(wdMult),
  };
  return Object.values(record).some((value) => value !== undefined) ? record : undefined;
}

/** The options of a record. */
export function fineTuningOf(record: FineTuningRecord = {}): FineTuningOptions {
  const { replaceHead, inChannels, freeze, freezeStatistics, lrMult, wdMult } = record;
  return {
    replaceHead,
    inChannels,
    freeze: freeze === undefined ? undefined : new RegExp(freeze),
    freezeStatistics: typeof freezeStatistics === 'string' ? new RegExp(freezeStatistics) : freezeStatistics,
    lrMult: toMultipliers(lrMult),
    wdMult: toMultipliers(wdMult),
  };
}

const toRecords = (multipliers: Multipliers): MultiplierRecord[] | undefined =>
  multipliers?.map(({ pattern, factor }) => ({ pattern: pattern.source, factor }));

const toMultipliers = (records: MultiplierRecord[] | undefined): Multipliers =>
  records?.map(({ pattern, factor }) => ({ pattern: new RegExp(pattern), factor }));
