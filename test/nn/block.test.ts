// Blocks: registration by assignment, names, inheritance, text.
import { describe, expect, it } from 'vitest';
import { ConfigError, init, nn, ops, type Tensor, tensor } from '../../lib/index.js';
import { Outer, TwoLayers } from './blocks.js';

describe('registration', () => {
  it('finds blocks, parameters and arrays of blocks in definition order', () => {
    expect([...new Outer().collectParams().keys()]).toEqual([
      'body.first.weight',
      'body.first.bias',
      'body.second.weight',
      'body.scale',
      'heads.0.weight',
      'heads.0.bias',
      'heads.1.weight',
      'heads.1.bias',
    ]);
  });
  it('selects by structural name, also with a global expression', () => {
    expect([...new Outer().collectParams(/weight$/g).keys()]).toEqual([
      'body.first.weight',
      'body.second.weight',
      'heads.0.weight',
      'heads.1.weight',
    ]);
    expect(() => new Outer().collectParams('weight' as unknown as RegExp)).toThrow(ConfigError);
  });
  it('lists a shared block and a shared parameter once', () => {
    const dense = new nn.Dense(3);
    const net = new nn.Sequential().add(dense, new nn.Activation('relu'), dense);
    expect([...net.collectParams().keys()]).toEqual(['0.weight', '0.bias']);
  });
  it('survives blocks that refer to each other', () => {
    const parent = new TwoLayers() as TwoLayers & { self?: nn.Block };
    parent.self = parent;
    expect(parent.collectParams().size).toBe(4);
    expect([...parent.descendants()].length).toBe(3);
  });
  it('gives children by name', () => {
    expect([...new TwoLayers().children.keys()]).toEqual(['first', 'second']);
    expect([...new nn.Sequential().add(new nn.Flatten(), new nn.Dense(1)).children.keys()]).toEqual(['0', '1']);
  });
  it('counts default names per kind', () => {
    const kinds = {
      conv: new nn.Conv2D(1, { kernelSize: 1 }),
      batchnorm: new nn.BatchNorm(),
      relu: new nn.Activation('relu'),
      pool: new nn.MaxPool2D(),
      dense: new nn.Dense(1),
      sequential: new nn.Sequential(),
      residual: new nn.Residual(1),
      twolayers: new TwoLayers(),
    };
    for (const [kind, block] of Object.entries(kinds)) expect(block.name).toMatch(new RegExp(`^${kind}\\d+$`));
    const [a, b] = [new nn.GlobalAvgPool2D(), new nn.AvgPool2D()];
    expect(Number(b.name.slice(4))).toBe(Number(a.name.slice(4)) + 1);
  });
  it('refuses a block without forward', () => {
    class Empty extends (nn.Block as unknown as new () => object) {}
    expect(() => new Empty()).toThrow(/Empty must define forward/);
  });
});

describe('inheritance', () => {
  it('super.forward works', () => {
    class Doubled extends nn.Dense {
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(2);
      }
    }
    const doubled = new Doubled(1, { inUnits: 1 });
    doubled.initialize({ init: new init.Constant(3) });
    expect(doubled.forward(tensor([[1]])).toArray()).toEqual([[6]]);
  });
  it('a subclass of a fused layer is run, not fused away', () => {
    class Shifted extends nn.Activation {
      override forward(x: Tensor): Tensor {
        return ops.add(super.forward(x), 1);
      }
    }
    const net = new nn.Sequential().add(new nn.BatchNorm(), new Shifted('relu'));
    net.initialize();
    expect([...net.forward(tensor([[[[-1]]]])).dataSync()]).toEqual([1]);
  });
});

describe('toString', () => {
  it('shows the tree', () => {
    const net = new nn.Sequential().add(new nn.Dense(2), new nn.Sequential().add(new nn.Flatten()));
    expect(net.toString()).toBe(
      'Sequential(\n  0: Dense(2, inUnits inferred)\n  1: Sequential(\n    0: Flatten()\n  )\n)',
    );
  });
});
