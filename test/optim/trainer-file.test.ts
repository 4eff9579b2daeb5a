// saveStates and loadStates: training goes on exactly as without them; files that do not fit change nothing.
import { copyFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type AdamWOptions,
  autograd,
  CheckpointError,
  init,
  nn,
  type SgdOptions,
  Trainer,
  tensor,
  tidy,
} from '../../lib/index.js';
import { writeSafetensors } from '../../lib/interop/safetensors.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const folder = temporaryFolder();
const options: SgdOptions = { learningRate: 0.1, momentum: 0.9 };

onEachDevice(() => {
  const made = (trainerOptions = options) => madeWith((params) => new Trainer(params, 'sgd', trainerOptions));
  const madeAdamW = (trainerOptions: AdamWOptions = { learningRate: 0.1 }) =>
    madeWith((params) => new Trainer(params, 'adamw', trainerOptions));
  function madeWith(trainerOf: (params: nn.ParameterDict) => Trainer) {
    const net = new nn.Dense(2, { inUnits: 3 });
    net.initialize({ init: new init.Constant(0.5) });
    const trainer = trainerOf(net.collectParams());
    const step = (n: number) => {
      tidy(() => autograd.record(() => net.forward(tensor([[n, 2, 3]])).sum()).backward());
      trainer.step(1);
    };
    const weights = () => [...net.weight.data().dataSync()];
    return { net, trainer, step, weights };
  }

  describe('trainer states', () => {
    it('resume bit for bit', async () => {
      const [states, parameters] = [join(folder, 'a.safetensors'), join(folder, 'a-net.safetensors')];
      const a = made();
      a.step(1);
      a.step(2);
      await a.trainer.saveStates(states);
      await a.net.saveParameters(parameters);
      a.step(3);

      const b = made();
      await b.net.loadParameters(parameters);
      await b.trainer.loadStates(states);
      expect(b.trainer.numUpdate).toBe(2);
      b.step(3);
      expect(b.weights()).toEqual(a.weights());

      const c = made(); // without the momentum it would go elsewhere
      await c.net.loadParameters(parameters);
      c.step(3);
      expect(c.weights()).not.toEqual(a.weights());
    });
    it('of AdamW resume bit for bit, with the number of updates', async () => {
      const [states, parameters] = [join(folder, 'w.safetensors'), join(folder, 'w-net.safetensors')];
      const a = madeAdamW();
      for (const n of [1, 2]) a.step(n);
      await a.trainer.saveStates(states);
      await a.net.saveParameters(parameters);
      a.step(3);

      const b = madeAdamW();
      await b.net.loadParameters(parameters);
      await b.trainer.loadStates(states);
      b.step(3);
      expect(b.weights()).toEqual(a.weights());

      const c = madeAdamW();
      await c.net.loadParameters(parameters);
      c.step(3);
      expect(c.weights()).not.toEqual(a.weights());
    });
    it('of another optimiser, or not whole, are refused and change nothing', async () => {
      const [ofSgd, ofAdamW, half, uncounted] = ['sgd', 'adamw', 'half', 'uncounted'].map((name) =>
        join(folder, `of-${name}.safetensors`),
      ) as [string, string, string, string];
      const [a, b] = [made(), madeAdamW()];
      a.step(1);
      b.step(1);
      await a.trainer.saveStates(ofSgd);
      await b.trainer.saveStates(ofAdamW);
      const metadata = { format: 'residua-trainer', optimizer: 'adamw', numUpdate: '1' };
      const bias = { shape: [2], values: new Float32Array(2) };
      await writeSafetensors(half, new Map([['mean.bias', bias]]), { ...metadata, updateCounts: '{"bias":1}' });
      const both = new Map([
        ['mean.bias', bias],
        ['square.bias', bias],
      ]);
      await writeSafetensors(uncounted, both, { ...metadata, updateCounts: '{"weight":1}' });
      const c = madeAdamW();
      c.step(1);
      for (const [bad, message] of [
        [ofSgd, /optimizer 'adamw', found that of 'sgd'/],
        [half, /number of updates of parameter 'bias'/],
        [uncounted, /number of updates of parameter 'bias'/],
      ] as const) {
        await expect(c.trainer.loadStates(bad)).rejects.toThrow(CheckpointError);
        await expect(c.trainer.loadStates(bad)).rejects.toThrow(message);
      }
      await expect(made().trainer.loadStates(ofAdamW)).rejects.toThrow(/optimizer 'sgd', found that of 'adamw'/);
      for (const each of [b, c]) each.step(2);
      expect(c.weights()).toEqual(b.weights());
    });
    it('of a trainer that made no step have no momentum', async () => {
      const file = join(folder, 'fresh.safetensors');
      await made().trainer.saveStates(file);
      const b = made();
      b.step(1);
      await b.trainer.loadStates(file);
      expect(b.trainer.numUpdate).toBe(0);
    });
    it('that do not fit are refused and change nothing', async () => {
      const file = join(folder, 'b.safetensors');
      const a = made();
      a.step(1);
      await a.trainer.saveStates(file);

      const [cut, wrongShape, wrongName, weights] = ['cut', 'shape', 'name', 'weights'].map((name) =>
        join(folder, `${name}.safetensors`),
      ) as [string, string, string, string];
      copyFileSync(file, cut);
      truncateSync(cut, readFileSync(file).length - 4);
      const metadata = { format: 'residua-trainer', numUpdate: '7' };
      await writeSafetensors(
        wrongShape,
        new Map([['momentum.weight', { shape: [2], values: new Float32Array(2) }]]),
        metadata,
      );
      await writeSafetensors(
        wrongName,
        new Map([['momentum.other', { shape: [2], values: new Float32Array(2) }]]),
        metadata,
      );
      await a.net.saveParameters(weights);

      const b = made();
      b.step(1);
      for (const [bad, message] of [
        [cut, /cut short/],
        [wrongShape, /expected shape \[2, 3\], found \[2\]/],
        [wrongName, /'momentum.other'/],
        [weights, /trainer's state/],
      ] as const) {
        await expect(b.trainer.loadStates(bad)).rejects.toThrow(CheckpointError);
        await expect(b.trainer.loadStates(bad)).rejects.toThrow(message);
      }
      expect(b.trainer.numUpdate).toBe(1);
      a.step(2);
      b.step(2);
      expect(b.weights()).toEqual(a.weights());
      await expect(made({ learningRate: 1 }).trainer.loadStates(file)).rejects.toThrow(/without momentum/);
    });
  });
});
