// What a run was made with: its environment, its net and its config; and the images that it could not use.
import { stringify } from 'yaml';
import { bytes, count } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { breakable, type Html, html } from './html.js';
import { plural } from './run-facts.js';

const brokenShown = 200;

/** The images that could not be used; null where there are none. */
export function brokenSection({ brokenImages = [] }: RunRecord): Html | null {
  if (brokenImages.length === 0) return null;
  const more = brokenImages.length - brokenShown;
  return html`<section id="broken">
<h2>Left out</h2>
<p class="note">${plural(brokenImages.length, 'image')} could not be decoded.</p>
<ul class="pairs">${brokenImages
    .slice(0, brokenShown)
    .map(
      ({ file, reason }) => html`<li><span class="names">${breakable(file)}</span><small>${reason}</small></li>`,
    )}${more > 0 ? html`<li>and ${count(more)} more: history.json has all of them</li>` : null}</ul>
</section>`;
}

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
    ...backendFacts(found),
    [
      'net',
      `${net.model}, input ${net.inputShape.join('x')}, ${net.classes} ${net.classes === 1 ? 'class' : 'classes'}`,
    ],
    ...(fineTuning ? [['fine-tuning', JSON.stringify(fineTuning)] as [string, string]] : []),
  ];
}

/** What says nothing of a run: what memory was left and what was planned when it began. */
const leftOut = new Set(['memoryAvailable', 'memoryFree', 'planCache']);

const names: Readonly<Record<string, string>> = {
  openMP: 'OpenMP',
  cudaRuntime: 'CUDA runtime',
  cudaGraphs: 'CUDA graphs',
  memoryTotal: 'GPU memory',
  tf32: 'TF32',
};

/** What a backend says of itself. The memory of the machine is told already. */
function backendFacts({ device, backend }: RunRecord['environment']): [string, string][] {
  return Object.entries(backend)
    .filter(([key]) => !leftOut.has(key) && !(key === 'memoryTotal' && device === 'cpu'))
    .map(([key, value]) => [names[key] ?? words(key), value]);
}

/** 'instructionSet': 'instruction set' */
const words = (key: string): string => key.replace(/(?<=[a-z])[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`);
