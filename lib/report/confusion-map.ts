// A confusion matrix of many classes as a heat map without numbers: squares to point at, or from a hundred classes on a picture of points.
import { pngDataUri } from '../train/report/png.js';
import { type Html, html } from './html.js';
import { plural } from './run-facts.js';

const mostSquares = 100;
/** Of a side of the picture: it is shown a little larger than that. */
const mostPoints = 500;
/** At most so many classes have their names beside the map. */
const mostNamed = 25;
/** Red, green and blue on light and on dark pages. */
const colours = { right: [31, 133, 196], wrong: [224, 108, 32] } as const;
/** Steps of opacity: with more of them the picture would be a larger file, and look no different. */
const opacities = 24;

type Matrix = readonly (readonly number[])[];

/** `names`: of the classes, in the order of rows and columns. */
export function confusionMap(confusion: Matrix, names: readonly string[]): Html {
  return names.length <= mostSquares ? squares(confusion, names) : points(confusion, names);
}

/** What a reader has to know of the map of so many classes; empty where it is plain to see. */
export function mapNote(classes: number): string {
  const merged = classes <= mostSquares ? 1 : mergedClasses(classes);
  return merged === 1
    ? ''
    : ` A point stands for ${merged} by ${merged} classes, and is as strong as the strongest of their pairs.`;
}

/** A square for each pair that occurs. */
function squares(confusion: Matrix, names: readonly string[]): Html {
  const n = names.length;
  const drawn = confusion.flatMap((row, i) =>
    row.flatMap((images, j) =>
      images === 0
        ? []
        : html`<rect class="${i === j ? 'right' : 'wrong'}" x="${j}" y="${i}" width="1" height="1" style="--part:${strength(share(images, row)).toFixed(3)}"><title>${pairTitle(names, i, j, images)}</title></rect>`,
    ),
  );
  const lines = namedOf(n).map((i) => html`<path class="grid" d="M0 ${i + 0.5}H${n}M${i + 0.5} 0V${n}"/>`);
  return withNames(
    names,
    n,
    html`<svg class="heat" id="matrix" viewBox="0 0 ${n} ${n}" role="img" aria-label="Confusion matrix of ${n} classes"><rect class="paper" width="${n}" height="${n}"/>${lines}${drawn}</svg>`,
  );
}

/** A picture: elements for each of up to a million pairs would be too many. */
function points(confusion: Matrix, names: readonly string[]): Html {
  const merged = mergedClasses(names.length);
  const side = Math.ceil(names.length / merged);
  const pixels = pointsOf(confusion, merged, side);
  return withNames(
    names,
    side * merged,
    html`<img class="heat" id="matrix" src="${pngDataUri({ pixels, width: side, height: side, channels: 4 })}" width="${side}" height="${side}" alt="Confusion matrix of ${names.length} classes">`,
  );
}

const mergedClasses = (classes: number): number => Math.ceil(classes / mostPoints);

/** [side, side, 4]: of all pairs that fall on a point the strongest. */
function pointsOf(confusion: Matrix, merged: number, side: number): Uint8Array {
  const pixels = new Uint8Array(side * side * 4);
  for (const [i, row] of confusion.entries()) {
    const all = sum(row);
    for (const [j, images] of row.entries()) {
      if (images === 0) continue;
      const [y, x] = [Math.floor(i / merged), Math.floor(j / merged)];
      const at = 4 * (y * side + x);
      const level = Math.ceil((0.25 + 0.75 * strength(images / all)) * opacities); // one image is to be seen, too
      const opacity = Math.round((255 * level) / opacities);
      if (opacity > (pixels[at + 3] as number)) pixels.set([...(x === y ? colours.right : colours.wrong), opacity], at);
    }
  }
  return pixels;
}

/** The map with the names of some classes; `extent`: how many classes wide it is. */
function withNames(names: readonly string[], extent: number, map: Html): Html {
  const named = namedOf(names.length).map((i) => ({ name: names[i] ?? '', place: `${((i + 0.5) / extent) * 100}%` }));
  return html`<div class="map"><div class="columns" aria-hidden="true">${named.map(
    ({ name, place }) => html`<span style="left:${place}" title="${name}">${name}</span>`,
  )}</div><div class="rows" aria-hidden="true">${named.map(
    ({ name, place }) => html`<span style="top:${place}" title="${name}">${name}</span>`,
  )}</div>${map}</div>`;
}

/** Every so manieth class. */
function namedOf(classes: number): number[] {
  const step = Math.ceil(classes / mostNamed);
  return Array.from({ length: Math.ceil(classes / step) }, (_, i) => i * step);
}

const sum = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);

/** Of a row's images the part. */
export function share(images: number, row: readonly number[]): number {
  const all = sum(row);
  return all === 0 ? 0 : images / all;
}

/** How strong a colour is, from 0 to 1: rare confusions are to be seen too. */
export const strength = (part: number): number => Math.sqrt(part);

export const pairTitle = (names: readonly string[], i: number, j: number, images: number): string =>
  `${plural(images, 'image')} of ${names[i]} taken for ${names[j]}`;
