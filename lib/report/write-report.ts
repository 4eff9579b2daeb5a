// report.html: everything that is known of a run, in one file that needs no other.
import { join } from 'node:path';
import type { RunRecord } from '../cli/run-record.js';
import { writeFileAtomically } from '../interop/atomic-file.js';
import { confusionSection } from './confusion-section.js';
import { curvesSection } from './curves-section.js';
import { brokenSection, detailsSection } from './details-section.js';
import { headerSection } from './header-section.js';
import { html } from './html.js';
import { type Metrics, meanSpeed, readMetrics, speeds } from './metrics-file.js';
import { classesSection, mistakesSection } from './mistakes-section.js';
import { page } from './page.js';
import { bestEpoch, dataTitle } from './run-facts.js';
import type { Mistake } from './worst-mistakes.js';

export interface ReportContents {
  record: RunRecord;
  /** Shown in this order; none: the report has no such part. */
  mistakes: readonly Mistake[];
}

/** Writes `report.html` into the folder of a run, whole or not at all, from the record and the folder's metrics.jsonl, where there is one. Returns its path. */
export async function writeReport(folder: string, contents: ReportContents): Promise<string> {
  const file = join(folder, 'report.html');
  const text = reportHtml(contents, await readMetrics(join(folder, 'metrics.jsonl')));
  await writeFileAtomically(file, [Buffer.from(text)]);
  return file;
}

/** The text of the file. */
export function reportHtml({ record, mistakes }: ReportContents, metrics: Metrics): string {
  const best = bestEpoch(record);
  return page(
    `${record.model} on ${dataTitle(record)}`,
    html`${headerSection(record, meanSpeed([...speeds(metrics.steps).values()]))}
<main>
${curvesSection(record, metrics)}
${best ? confusionSection(record, best) : null}
${mistakes.length > 0 ? mistakesSection(record, mistakes) : null}
${best ? classesSection(record, best) : null}
${brokenSection(record)}
${detailsSection(record)}
</main>`,
  );
}
