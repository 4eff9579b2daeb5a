// When a program is captured into a CUDA graph, what it is captured with, and when it is not: run by run.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import type { Device } from '../../lib/index.js';
import type { NativeNode, NativeProgram, NativeTensor } from '../../lib/native.js';
import { uniformValues } from '../helpers/values.js';
import { emulatedGpu, onEmulation, withVariables } from './emulated-gpu.js';

const classes = 4;
const hyper = Float32Array.of(0.5, 0, 0, 0.1, 0); // rescale, momentum, clip, rate, decay

describe.skipIf(!emulatedGpu)(onEmulation('replayed programs'), () => {
  const backend = backendOf(emulatedGpu as Device);
  let live: NativeTensor[] = [];
  let programs: NativeProgram[] = [];
  const keep = (tensor: NativeTensor): NativeTensor => {
    live.push(tensor);
    return tensor;
  };
  const images = (seed: number): NativeTensor => keep(backend.fromHost(uniformValues(6, seed), [2, 3], 'float32'));
  const labels = (last = 1): NativeTensor => keep(backend.fromHost(Int32Array.of(0, last), [2], 'int32'));
  const weight = (): NativeTensor => keep(backend.fromHost(uniformValues(12, 3), [classes, 3], 'float32'));
  const rates = (): NativeTensor => keep(backend.fromHost(hyper, [5], 'float32'));

  beforeEach(drain);
  afterEach(() => {
    drain();
    for (const program of programs) program.dispose();
    for (const tensor of live) tensor.dispose();
    [live, programs] = [[], []];
  });

  function drain(): void {
    try {
      backend.synchronize();
    } catch {
      // What a test left to be told.
    }
  }

  const compile = (nodes: NativeNode[], leaves: NativeTensor[], outputs: number[]): NativeProgram => {
    const program = backend.compile(nodes, leaves, outputs);
    programs.push(program);
    return program;
  };

  // Leaves: 0 x [2, 3], 1 w [4, 3], 2 labels [2], 3 the losses' gradients [2], 4 rates. Outputs: losses [2].
  const stepNodes: NativeNode[] = [
    { op: 'dense', attributes: {}, inputs: [0, 1], outputCount: 1 }, // 5 [2, 4]
    { op: 'softmaxCrossEntropy', attributes: { labelSmoothing: 0 }, inputs: [5, 2], outputCount: 1 }, // 6 [2]
    { op: 'softmaxCrossEntropyBackward', attributes: { labelSmoothing: 0 }, inputs: [5, 2, 3, 6], outputCount: 1 },
    { op: 'denseBackwardWeights', attributes: {}, inputs: [0, 7], outputCount: 1 }, // 8 [4, 3]
    { op: 'sgd', attributes: { count: 1, hasMomentum: false, nesterov: false }, inputs: [1, 8, 4], outputCount: 0 },
  ];

  /** A step's program and what it runs on; each run has new images, labels and rates unless told otherwise. */
  function stepper() {
    const w = weight();
    const ones = keep(backend.fromHost(Float32Array.of(1, 1), [2], 'float32'));
    const program = compile(stepNodes, [images(0), w, labels(), ones, rates()], [6]);
    const run = (seed: number, label = 1, w_ = w): NativeTensor =>
      keep(program.run([images(seed), w_, labels(label), ones, rates()])[0] as NativeTensor);
    return { program, w, run };
  }

  /** The losses that op after op gives, and the weights. */
  function expectedLosses(seeds: number[]): number[][] {
    const w = weight();
    const ones = keep(backend.fromHost(Float32Array.of(1, 1), [2], 'float32'));
    return seeds.map((seed) => {
      const values = [images(seed), w, labels(), ones, rates()];
      for (const { op, attributes, inputs } of stepNodes) {
        const made = backend.run(
          op,
          attributes,
          inputs.map((value) => values[value] as NativeTensor),
        );
        values.push(...made.map(keep));
      }
      return [...backend.read(values[6] as NativeTensor)];
    });
  }

  const readAndDispose = (tensor: NativeTensor): number[] => {
    const values = [...backend.read(tensor)];
    tensor.dispose();
    live = live.filter((each) => each !== tensor);
    return values;
  };

  test('the third run is captured, once; images that change are copied', () => {
    const { program, run } = stepper();
    const seeds = [1, 2, 3, 4, 5, 6];
    const losses = seeds.map((seed) => {
      const values = readAndDispose(run(seed));
      return { values, ...program.replayStats };
    });
    expect(losses.map(({ values }) => values)).toEqual(expectedLosses(seeds));
    expect(losses.map(({ replays }) => replays)).toEqual([0, 0, 1, 2, 3, 4]);
    expect(losses.map(({ recordings }) => recordings)).toEqual([0, 0, 1, 1, 1, 1]);
    expect(program.replayStats.refusal).toBe('');
  });

  test('outputs that the caller keeps do not change under it', () => {
    const { program, run } = stepper();
    const seeds = [1, 2, 3, 4, 5, 6, 7];
    // Up to the fourth run they are gone by the next one, and lent; then they are kept.
    const losses = seeds.map((seed) => (seed < 4 ? readAndDispose(run(seed)) : run(seed)));
    const values = losses.map((each) => (Array.isArray(each) ? each : [...backend.read(each)]));
    expect(values).toEqual(expectedLosses(seeds));
    expect(program.replayStats).toEqual({ recordings: 2, replays: 5, refusal: '' });
  });

  test('an output of one run may be a leaf of the next', () => {
    const nodes: NativeNode[] = [{ op: 'add', attributes: {}, inputs: [0, 0], outputCount: 1 }];
    let x = keep(backend.fromHost(Float32Array.of(1, 3), [2], 'float32'));
    const program = compile(nodes, [x], [1]);
    for (let run = 0; run < 6; run++) {
      const [doubled] = program.run([x]) as [NativeTensor];
      x = keep(doubled);
    }
    expect([...backend.read(x)]).toEqual([64, 192]);
    expect(program.replayStats.replays).toBe(4);
  });

  test('a parameter that becomes another tensor is captured again, though not without end', () => {
    const { program, w, run } = stepper();
    for (let seed = 1; seed < 5; seed++) readAndDispose(run(seed));
    const other = weight();
    const before = [...backend.read(w)];
    expect(readAndDispose(run(1, 1, other))).toEqual(expectedLosses([1])[0]);
    expect([...backend.read(w)], 'the one before is left alone').toEqual(before);
    expect([...backend.read(other)]).not.toEqual([...backend.read(weight())]);
    expect(program.replayStats).toMatchObject({ recordings: 2, replays: 3 });
    for (let seed = 0; seed < 20; seed++) {
      expect(readAndDispose(run(1, 1, weight()))).toEqual(expectedLosses([1])[0]);
    }
    expect(program.replayStats).toMatchObject({ recordings: 4, replays: 5 });
    for (let seed = 0; seed < 3; seed++) readAndDispose(run(1, 1, w));
    expect(program.replayStats.recordings, 'too few replays have paid for it').toBe(4);
  });

  test('a tensor that is both updated and read as another leaf is enqueued op by op', () => {
    const nodes: NativeNode[] = [
      { op: 'assign', attributes: {}, inputs: [0, 2], outputCount: 0 },
      { op: 'add', attributes: {}, inputs: [1, 1], outputCount: 1 },
    ];
    const [a, b] = [3, 4].map((value) => keep(backend.fromHost(Float32Array.of(value), [1], 'float32'))) as [
      NativeTensor,
      NativeTensor,
    ];
    const source = keep(backend.fromHost(Float32Array.of(5), [1], 'float32'));
    const program = compile(nodes, [a, b, source], [3]);
    const sums = [b, a, b, a, b].map((read) => readAndDispose(keep(program.run([a, read, source])[0] as NativeTensor)));
    expect(sums).toEqual([[8], [10], [8], [10], [8]]);
    expect(program.replayStats.refusal).toBe('');
    expect(program.replayStats.replays).toBe(2); // the third and the fifth
  });

  test('an update that depends on more ops with wrong data than a kernel can ask is not captured, and says so', () => {
    const rows = [1, 2, 3, 4].map(() => keep(backend.fromHost(Int32Array.of(0), [1], 'int32')));
    const data = keep(backend.fromHost(Float32Array.of(7, 8), [2, 1], 'float32'));
    const to = keep(backend.fromHost(Float32Array.of(0), [1, 1], 'float32'));
    const nodes: NativeNode[] = [
      ...rows.map((_, i) => ({ op: 'gatherRows', attributes: {}, inputs: [0, 2 + i], outputCount: 1 })), // 6 to 9
      { op: 'add', attributes: {}, inputs: [6, 7], outputCount: 1 },
      { op: 'add', attributes: {}, inputs: [8, 9], outputCount: 1 },
      { op: 'add', attributes: {}, inputs: [10, 11], outputCount: 1 },
      { op: 'assign', attributes: {}, inputs: [1, 12], outputCount: 0 },
    ];
    const program = compile(nodes, [data, to, ...rows], []);
    for (let run = 0; run < 4; run++) program.run([data, to, ...rows]);
    expect([...backend.read(to)]).toEqual([28]);
    expect(program.replayStats).toMatchObject({ recordings: 1, replays: 0 });
    expect(program.replayStats.refusal).toContain('4 ops which may meet wrong data');
  });

  test('whichever call fails when it is captured or replayed: an error, or the right losses; later runs are right', () => {
    const seeds = [1, 2, 3, 4];
    const expected = expectedLosses(seeds);
    const refusals = new Set<string>();
    let failures = 0;
    for (let call = 1; ; call++) {
      const { program, w, run } = stepper();
      const losses = [1, 2].map((seed) => readAndDispose(run(seed)));
      const inputs = [images(3), w, labels(), keep(backend.fromHost(Float32Array.of(1, 1), [2], 'float32')), rates()];
      const before = [...backend.read(w)];
      let third: NativeTensor | null = null;
      withVariables({ RESIDUA_EMULATED_FAULT: `*:${call}` }, () => {
        try {
          third = keep(program.run(inputs)[0] as NativeTensor);
        } catch (error) {
          failures += 1;
          expect((error as Error).name, `call ${call}`).toMatch(/^(NativeError|OutOfMemoryError)$/);
        }
      });
      drain();
      if (program.replayStats.refusal) refusals.add(program.replayStats.refusal.replace(/.* in (\w+).*/s, '$1'));
      if (third !== null) {
        losses.push(readAndDispose(third));
        const again = readAndDispose(run(4));
        expect([...losses, again], `call ${call}`).toEqual(expected);
        if (program.replayStats.refusal === '' && call > 100) break;
      } else {
        backend.run('assign', {}, [w, keep(backend.fromHost(Float32Array.from(before), [classes, 3], 'float32'))]);
        expect(readAndDispose(run(3)), `call ${call}, again`).toEqual(expected[2]);
      }
    }
    expect(failures).toBeGreaterThan(5);
    for (const name of ['cudaStreamBeginCapture', 'cudaStreamEndCapture', 'cudaGraphInstantiate', 'cudaGraphUpload'])
      expect([...refusals].join(), name).toContain(name);
  });
});
