// Programs as pictures: places of nodes, and SVG that is well formed and has every node.
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { graphSvg } from '../../lib/cli/graph-svg.js';
import { graphPicture } from '../../lib/cli/graph-text.js';
import { placeNodes } from '../../lib/graph/layering.js';
import type { Node, Program } from '../../lib/graph/program.js';
import { cpu, models } from '../../lib/index.js';

const node = (op: string, inputs: number[], outputs: number[]): Node => ({ op, attributes: {}, inputs, outputs });
const value = { shape: [2, 3], dtype: 'float32' } as const;

/** relu -> (mul -> neg) and round it -> add; a cast of leaf 1 beside. */
const residual: Program = {
  leafCount: 2,
  values: Array.from({ length: 7 }, () => value),
  nodes: [
    node('relu', [0], [2]),
    node('mul', [2, 2], [3]),
    node('cast', [1], [4]),
    node('sub', [2, 4], [5]),
    node('add', [3, 5], [6]),
  ],
  outputs: [6],
};

test('nodes stand below what they read; what stands in one row has columns of its own', () => {
  expect([...placeNodes(residual).values()]).toEqual([
    { row: 0, column: 0 },
    { row: 1, column: 0 },
    { row: 1, column: 1 }, // reads a leaf alone: beside the op before it
    { row: 2, column: 0 },
    { row: 3, column: 0 },
  ]);
});

/** Texts of an SVG's elements of this name, after checking that every element is closed in order. */
function texts(svg: string): string[] {
  const open: string[] = [];
  for (const [, close, name, empty] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[a-z-]+(?::[a-z]+)?="[^"<]*")*\s*(\/?)>/gi)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name as string);
  }
  expect(open).toEqual([]);
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text as string);
}

describe('the picture', () => {
  test('has titles, nodes with shapes, and a line for each dependency', () => {
    const svg = graphSvg([{ title: 'A < B & C', notes: ['of 5 ops'], program: residual }]);
    const found = texts(svg);
    expect(found).toEqual(
      expect.arrayContaining(['A &lt; B &amp; C', 'of 5 ops', 'relu', 'mul', 'cast', 'sub', 'add']),
    );
    expect(found.filter((text) => text === 'float32 [2, 3]')).toHaveLength(5);
    expect(svg.match(/<path /g)).toHaveLength(5); // relu-mul, relu-sub, cast-sub, mul-add, sub-add
  });

  test("of the chapter's net can be rasterised and has every op of both programs", async () => {
    const net = models.chapterResNet18();
    net.initialize();
    const svg = graphPicture(net, [1, 1, 32, 32], cpu());
    const found = texts(svg);
    expect(found.filter((text) => text === 'conv2dFused + relu')).toHaveLength(17);
    expect(found.filter((text) => text === 'conv2dBackwardWeights')).toHaveLength(20);
    expect(found.filter((text) => text === 'sgd')).toHaveLength(1);
    expect(found.filter((text) => text.startsWith('memory plan: peak'))).toHaveLength(2);
    const { width, height } = await sharp(Buffer.from(svg)).metadata();
    expect(width).toBeGreaterThan(600);
    expect(height).toBeGreaterThan(width as number);
  });

  test('of no ops is empty', () => {
    const svg = graphSvg([
      { title: 'Nothing', notes: [], program: { leafCount: 0, values: [], nodes: [], outputs: [] } },
    ]);
    expect(texts(svg)).toEqual(['Nothing']);
  });
});
