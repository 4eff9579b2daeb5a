// The report of a run: report.html.
export { type Mistake, mistakesShown, type WorstMistakesOptions, worstMistakes } from './worst-mistakes.js';
export { type ReportContents, writeReport } from './write-report.js';
