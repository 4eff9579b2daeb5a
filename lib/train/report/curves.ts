// Learning curves: one value per epoch, several runs in one chart, drawn by vega.
import { parse, type Spec, View } from 'vega';
import { at, colours, element, fontFamily, text } from './svg.js';

/** One line of a chart. */
export interface Series {
  name: string;
  /** [epoch, value] */
  points: readonly (readonly [number, number])[];
  colour: string;
  /** Lines and points differ in more than colour. */
  dash: readonly number[];
  shape: 'circle' | 'diamond' | 'triangle-up';
  filled: boolean;
}

export interface ChartOptions {
  title: string;
  yTitle: string;
  /** A d3-format of the values on the y axis. */
  yFormat: string;
  /** Whether the y axis starts at 0. */
  fromZero: boolean;
  series: readonly Series[];
  width: number;
  height: number;
}

const legendHeight = 46;

/** A chart with title, legend, axes and labels; its upper left corner is (0, 0). */
export async function chart(options: ChartOptions): Promise<string> {
  const view = new View(parse(chartSpec({ ...options, height: options.height - legendHeight })), { renderer: 'none' });
  const plot = await view.toSVG();
  view.finalize();
  return [
    text(0, 16, options.title, { 'font-size': 16, 'font-weight': 600 }),
    at(0, 30, legend(options.series)),
    at(0, legendHeight, plot),
  ].join('');
}

/** A row of line samples with names, each as wide as its text needs. */
function legend(series: readonly Series[]): string {
  let x = 0;
  return series
    .map((line) => {
      const item = at(x, 0, lineSample(line), text(38, 4.5, line.name, { fill: colours.muted, 'font-size': 12.5 }));
      x += 38 + line.name.length * 7 + 18;
      return item;
    })
    .join('');
}

function lineSample({ colour, dash, shape, filled }: Series): string {
  const points = {
    circle: '',
    diamond: '15,-5.5 20.5,0 15,5.5 9.5,0',
    'triangle-up': '15,-5 20.5,4.5 9.5,4.5',
  }[shape];
  const paint = { fill: filled ? colour : colours.paper, stroke: colour, 'stroke-width': 2 };
  return (
    element('line', {
      x1: 0,
      x2: 30,
      stroke: colour,
      'stroke-width': 2.5,
      'stroke-dasharray': dash.join(' ') || undefined,
    }) + (points ? element('polygon', { points, ...paint }) : element('circle', { cx: 15, r: 4.2, ...paint }))
  );
}

function chartSpec({ yTitle, yFormat, fromZero, series, width, height }: ChartOptions): Spec {
  const values = series.flatMap(pointsOf);
  const lastEpoch = Math.max(2, ...values.map((point) => point.epoch));
  return {
    background: colours.paper,
    width,
    height,
    autosize: { type: 'fit', contains: 'padding' },
    padding: { left: 0, right: 8, top: 6, bottom: 0 },
    config: axisStyle(),
    data: [{ name: 'all', values }, ...series.map((line, i) => ({ name: `line${i}`, values: pointsOf(line) }))],
    scales: [
      { name: 'x', type: 'linear', range: 'width', domain: [1, lastEpoch], zero: false, padding: 14 },
      {
        name: 'y',
        type: 'linear',
        range: 'height',
        domain: { data: 'all', field: 'value' },
        nice: true,
        zero: fromZero,
        padding: fromZero ? 0 : 10,
      },
    ],
    axes: [
      {
        orient: 'left',
        scale: 'y',
        title: yTitle,
        format: yFormat,
        grid: true,
        tickCount: 6,
        domain: false,
        ticks: false,
      },
      // After the other, so that its line lies over the grid.
      { orient: 'bottom', scale: 'x', title: 'epoch', values: epochTicks(lastEpoch), format: 'd', grid: false },
    ],
    marks: series.flatMap((line, i) => lineMarks(line, `line${i}`, symbolSize(lastEpoch))),
  };
}

function pointsOf(line: Series): { epoch: number; value: number }[] {
  return line.points.map(([epoch, value]) => ({ epoch, value }));
}

/** Whole epochs, at most about twelve of them. */
function epochTicks(lastEpoch: number): number[] {
  const step = Math.ceil(lastEpoch / 12);
  return Array.from({ length: Math.floor((lastEpoch - 1) / step) + 1 }, (_, i) => 1 + i * step);
}

/** Area of a point in square pixels: smaller where many would cover each other. */
function symbolSize(lastEpoch: number): number {
  return 64 * Math.min(1, 16 / lastEpoch);
}

function lineMarks({ colour, dash, shape, filled }: Series, data: string, size: number): NonNullable<Spec['marks']> {
  const place = { x: { scale: 'x', field: 'epoch' }, y: { scale: 'y', field: 'value' } };
  return [
    {
      type: 'line',
      from: { data },
      encode: {
        update: { ...place, stroke: { value: colour }, strokeWidth: { value: 2.5 }, strokeDash: { value: [...dash] } },
      },
    },
    {
      type: 'symbol',
      from: { data },
      encode: {
        update: {
          ...place,
          shape: { value: shape },
          size: { value: size },
          fill: { value: filled ? colour : colours.paper },
          stroke: { value: colour },
          strokeWidth: { value: 2 },
        },
      },
    },
  ];
}

function axisStyle(): NonNullable<Spec['config']> {
  return {
    axis: {
      labelFont: fontFamily,
      titleFont: fontFamily,
      labelFontSize: 12,
      titleFontSize: 13,
      titleFontWeight: 'normal',
      labelColor: colours.muted,
      titleColor: colours.ink,
      titlePadding: 10,
      labelPadding: 6,
      gridColor: colours.grid,
      domainColor: colours.muted,
      tickColor: colours.muted,
    },
  };
}
