// What a run was made with: its environment, its net and its config.
import { stringify } from 'yaml';
import { bytes } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { type Html, html } from './html.js';

export function detailsSection(record: RunRecord): Html {
  return html`<section id="details">
<h2>Made with</h2>
<dl class="facts" id="environment">${environment(record).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<details class="fold"><summary>Config</summary><pre id="config">${stringify(record.config)}</pre></details>
</section>`;
}

function environment({ environment: found, net, peakMemory, fineTuning }: RunRecord): [string, string][] {
  return [
    ['residua', found.residua],
    ['Node', found.node],
    ['system', found.system],
    ['processor', `${found.processor}, ${found.cores} cores for this process`],
    ['memory', `${bytes(found.memoryBytes)}, at most ${bytes(peakMemory)} used`],
    ['device', found.device],
    ...Object.entries(found.backend),
    ['net', `${net.model}, input ${net.inputShape.join('x')}, ${net.classes} classes`],
    ...(fineTuning ? [['fine-tuning', JSON.stringify(fineTuning)] as [string, string]] : []),
  ];
}
