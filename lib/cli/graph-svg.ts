// Programs as a picture: nodes in rows from top to bottom, lines from what makes a value to what reads it.
import { type Place, placeNodes } from '../graph/layering.js';
import type { Node, Program, ValueDesc } from '../graph/program.js';
import { at, colours, element, picture, text } from '../train/report/svg.js';

/** A program with its title and the lines below that. */
export interface Drawing {
  title: string;
  notes: readonly string[];
  program: Program;
}

const box = { width: 232, height: 36 };
const pitch = { x: 256, y: 56 };
const head = 96; // height of title and notes
const margin = 24;
const fan = 90; // width left of the columns, for lines that pass other nodes
const nearRows = 10; // a line over more rows is faint: a value that is kept for the backward pass

/** The programs side by side, as SVG. Parameters and other tensors from outside are left out. */
export function graphSvg(drawings: readonly Drawing[]): string {
  let width = margin;
  let height = 0;
  const groups = drawings.map((drawing) => {
    const places = placeNodes(drawing.program);
    const group = at(width, margin, heading(drawing), at(fan, head, drawProgram(drawing.program, places)));
    width += fan + pitch.x * (1 + Math.max(0, ...[...places.values()].map(({ column }) => column))) + margin;
    height = Math.max(height, head + pitch.y * (1 + Math.max(0, ...[...places.values()].map(({ row }) => row))));
    return group;
  });
  height += 2 * margin;
  return picture({ width, height, title: drawings.map(({ title }) => title).join(', ') }, ...groups);
}

function heading({ title, notes }: Drawing): string {
  const lines = notes.map((note, i) => text(0, 40 + 18 * i, note, { fill: colours.muted }));
  return [text(0, 16, title, { 'font-size': 18, 'font-weight': 600 }), ...lines].join('');
}

function drawProgram(program: Program, places: ReadonlyMap<Node, Place>): string {
  const makers = new Map(program.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const lines = program.nodes.flatMap((node) => {
    const sources = new Set(node.inputs.flatMap((value) => makers.get(value) ?? []));
    return [...sources].map((source) => line(places.get(source) as Place, places.get(node) as Place));
  });
  const far = lines.filter(({ isFar }) => isFar);
  const near = lines.filter(({ isFar }) => !isFar);
  const nodes = program.nodes.map((node) => drawNode(node, program, places.get(node) as Place));
  return [...[...far, ...near].map(({ svg }) => svg), ...nodes].join('');
}

/** Straight to the next row; round the nodes between, on the left, to a later one; down and across to another column. */
function line(from: Place, to: Place): { svg: string; isFar: boolean } {
  const isFar = to.row - from.row > nearRows;
  const colour = isFar ? { stroke: colours.grid } : { stroke: colours.muted, 'stroke-width': 1.3 };
  return { svg: element('path', { d: way(from, to), fill: 'none', ...colour }), isFar };
}

function way(from: Place, to: Place): string {
  const rows = to.row - from.row;
  const [left, top] = [from.column * pitch.x, from.row * pitch.y];
  const [endLeft, endTop] = [to.column * pitch.x, to.row * pitch.y];
  const [x, endX] = [left + box.width / 2, endLeft + box.width / 2];
  const [y, endY] = [top + box.height / 2, endTop + box.height / 2];
  if (rows === 1) return `M${x},${top + box.height} L${endX},${endTop}`;
  if (from.column === to.column) {
    const bend = Math.min(fan - 4, 18 + 3 * rows);
    return `M${left},${y} C${left - bend},${y} ${endLeft - bend},${endY} ${endLeft},${endY}`;
  }
  const corner = endTop - (pitch.y - box.height) / 2; // between the rows
  if (from.column > to.column) return `M${x},${top + box.height} C${x},${corner} ${x},${corner} ${endX},${endTop}`;
  const gap = endLeft - (pitch.x - box.width) / 2; // between the columns
  return `M${left + box.width},${y} C${gap},${y} ${gap},${corner} ${endX},${endTop}`;
}

function drawNode(node: Node, program: Program, { row, column }: Place): string {
  const { width, height } = box;
  const [first] = node.outputs;
  const made = first === undefined ? `${node.inputs.length} tensors` : shapeText(program.values[first] as ValueDesc);
  const middle = { 'text-anchor': 'middle' };
  return at(
    column * pitch.x,
    row * pitch.y,
    element('rect', { width, height, rx: 5, fill: colours.paper, stroke: familyColour(node.op), 'stroke-width': 1.5 }),
    text(width / 2, 15, `${node.op}${node.attributes.relu === true ? ' + relu' : ''}`, {
      ...middle,
      'font-weight': 600,
    }),
    text(width / 2, 29, made, { ...middle, 'font-size': 11, fill: colours.muted }),
  );
}

const shapeText = ({ dtype, shape }: ValueDesc): string => `${dtype} [${shape.join(', ')}]`;

/** Products of matrices, normalisation and its like, updates, all else. */
function familyColour(op: string): string {
  if (/^(conv2d|dense)/.test(op)) return colours.run;
  if (/^(batchNorm|foldBatchNorm)/.test(op)) return colours.runTrain;
  if (op === 'sgd' || op === 'adamW' || op === 'assign') return colours.published;
  return colours.muted;
}
