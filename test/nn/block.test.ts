// Blocks: registration by assignment, names, initialisation, memory, error messages.
import { describe, expect, it } from 'vitest';
import {
  autograd,
  ConfigError,
  init,
  loss,
  memory,
  nn,
  ops,
  ShapeError,
  seed,
  type Tensor,
  tensor,
  tidy,
  uniform,
  zeros,
} from '../../lib/index.js';

class TwoLayers extends nn.Block {
  first = new nn.Dense(4);
  second = new nn.Dense(2, { useBias: false });
  scale = new nn.Parameter('scale', { shape: [1], init: new init.One() });
  override forward(x: Tensor): Tensor {
    const hidden = this.first.forward(x).relu();
    return this.second.forward(hidden).mul(this.scale.data());
  }
}

class Outer extends nn.Block {
  body = new TwoLayers();
  heads = [new nn.Dense(1), new nn.Dense(3)];
  override forward(x: Tensor): Tensor {
    const y = this.body.forward(x);
    return (this.heads[1] as nn.Block).forward((this.heads[0] as nn.Block).forward(y));
  }
}

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

describe('initialize', () => {
  it('draws weights with the given initialiser and leaves biases at 0, gammas at 1', () => {
    const net = new nn.Sequential().add(
      new nn.Conv2D(2, { kernelSize: 3, inChannels: 1 }),
      new nn.BatchNorm({ inChannels: 2 }),
    );
    net.initialize({ init: new init.Constant(3) });
    const values = Object.fromEntries(
      [...net.collectParams()].map(([name, parameter]) => [name, [...new Set(parameter.data().dataSync())]]),
    );
    expect(values).toEqual({
      '0.weight': [3],
      '0.bias': [0],
      '1.gamma': [1],
      '1.beta': [0],
      '1.runningMean': [0],
      '1.runningVar': [1],
    });
  });
  it('by default draws from Uniform(0.07)', () => {
    const dense = new nn.Dense(50, { inUnits: 50 });
    dense.initialize();
    const values = dense.weight.data().dataSync();
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(0.07));
    expect(Math.max(...values)).toBeGreaterThan(0.06);
  });
  it('gives the same weights for one seed, whether shapes are stated or inferred', () => {
    const weights = (inUnits: number) => {
      seed(11);
      const net = new nn.Sequential().add(new nn.Dense(4, { inUnits }), new nn.Dense(3, { inUnits: 4 }));
      net.initialize();
      uniform([10]).dispose(); // other draws in between change nothing
      net.forward(zeros([1, 5])).dispose();
      return [...net.collectParams().values()].map((parameter) => [...parameter.data().dataSync()]);
    };
    expect(weights(0)).toEqual(weights(5));
  });
  it('keeps values unless forced', () => {
    const dense = new nn.Dense(2, { inUnits: 2 });
    dense.initialize({ init: new init.Constant(1) });
    const before = dense.weight.data();
    dense.initialize({ init: new init.Constant(2) });
    expect([...dense.weight.data().dataSync()]).toEqual([1, 1, 1, 1]);
    dense.initialize({ init: new init.Constant(2), forceReinit: true });
    expect([...dense.weight.data().dataSync()]).toEqual([2, 2, 2, 2]);
    expect(dense.weight.data()).toBe(before);
  });
  it('refuses unknown options and what is no initialiser', () => {
    const dense = new nn.Dense(2);
    expect(() => dense.initialize({ ctx: 1 } as object)).toThrow(/'ctx'/);
    expect(() => dense.initialize({ init: 'xavier' as unknown as init.Initializer })).toThrow(/new init.Xavier/);
    expect(() => dense.initialize({ forceReinit: 1 as unknown as boolean })).toThrow(/forceReinit/);
  });
  it('a forward before it names the parameter and the remedy', () => {
    const net = new nn.Sequential().add(new nn.Flatten(), new nn.Dense(2));
    expect(() => net.forward(zeros([1, 3]))).toThrow(ConfigError);
    expect(() => net.forward(zeros([1, 3]))).toThrow(
      /in layer 1: Parameter 'dense\d+\.weight' has no values yet.*initialize\(\)/,
    );
  });
});

describe('memory', () => {
  it('forward frees what it does not return', () => {
    const net = new Outer();
    net.initialize();
    const x = zeros([2, 3]);
    net.forward(x).dispose();
    const before = memory().tensors;
    const y = net.forward(x);
    expect(memory().tensors).toBe(before + 1);
    y.dispose();
    expect(memory().tensors).toBe(before);
  });
  it('a training step returns to the same number of tensors', () => {
    const net = new Outer();
    net.initialize();
    const x = zeros([2, 3]);
    const step = () => tidy(() => autograd.record(() => net.forward(x).sum()).backward());
    step();
    const before = memory();
    step();
    expect(memory().tensors).toBe(before.tensors);
    expect(memory().bytes).toBe(before.bytes);
  });
  it('parameters outlive the scope in which their shapes are inferred', () => {
    const dense = new nn.Dense(2);
    dense.initialize();
    tidy(() => void dense.forward(zeros([1, 3])));
    expect(dense.weight.data().disposed).toBe(false);
    expect(dense.weight.shape).toEqual([2, 3]);
  });
});

describe('errors', () => {
  it('name the innermost layer once and keep class and stack', () => {
    class Fails extends nn.Block {
      override forward(): Tensor {
        throw new ShapeError('expected this, got that.', { expected: 1 });
      }
    }
    const net = new nn.Sequential().add(new nn.Sequential().add(new nn.Flatten(), new Fails()));
    let caught: unknown;
    try {
      net.forward(zeros([1, 2]));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ShapeError);
    const { message, details, stack } = caught as ShapeError;
    expect(message).toBe('in layer 0.1: expected this, got that.');
    expect(details).toEqual({ expected: 1, layer: '0.1' });
    expect(stack).toContain('in layer 0.1: expected this, got that.');
  });
  it('name the block itself when it is the outermost', () => {
    const dense = new nn.Dense(2, { inUnits: 3 });
    dense.initialize();
    expect(() => dense.forward(zeros([1, 4]))).toThrow(new RegExp(`^in layer ${dense.name}: `));
    expect(() => dense.forward(zeros([1, 4]))).toThrow(ShapeError);
  });
  it('of others are left alone', () => {
    class Fails extends nn.Block {
      override forward(): Tensor {
        throw new TypeError('mine');
      }
    }
    expect(() => new Fails().forward()).toThrow(new TypeError('mine'));
  });
});

describe('inputs', () => {
  it('must be tensors, as many as forward names', () => {
    const net = new nn.Sequential().add(new nn.Flatten());
    expect(() => net.forward(...([] as unknown as [Tensor]))).toThrow(
      /Sequential\.forward\(\) expected 1 inputs, got 0/,
    );
    expect(() => net.forward('x' as unknown as Tensor)).toThrow(/expected input 0 to be a Tensor, got string/);
    expect(() => net.forward(null as unknown as Tensor)).toThrow(ConfigError);
    expect(() =>
      new loss.SoftmaxCrossEntropyLoss().forward(...([zeros([1, 2])] as unknown as [Tensor, Tensor])),
    ).toThrow(/expected 2 inputs, got 1/);
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

describe('hybridize', () => {
  it('marks the block and all below it, and changes no result', () => {
    const net = new Outer();
    net.initialize();
    const x = tensor([[1, 2, 3]]);
    const before = net.forward(x).toArray();
    net.hybridize();
    expect([...net.descendants()].every(([, block]) => block.hybridized)).toBe(true);
    expect(net.forward(x).toArray()).toEqual(before);
    net.hybridize(false);
    expect(net.hybridized).toBe(false);
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
