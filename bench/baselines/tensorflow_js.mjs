// Steps of the chapter's ResNet-18 in TensorFlow.js, timed one by one; prints one JSON line.
// node tensorflow_js.mjs --packages FOLDER --backend tensorflow|wasm|cpu --task training|inference --model r18@96 --batch 16 --steps 7
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: Object.fromEntries(
    ['packages', 'backend', 'task', 'model', 'batch', 'steps'].map((name) => [name, { type: 'string' }]),
  ),
});
const size = Number(values.model.split('@')[1]);
const [batch, steps] = [Number(values.batch), Number(values.steps)];
const load = createRequire(join(values.packages, 'package.json'));
const tf = load(values.backend === 'tensorflow' ? '@tensorflow/tfjs-node' : '@tensorflow/tfjs');
if (values.backend === 'wasm') {
  const wasm = load('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(load.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
}
if (!(await tf.setBackend(values.backend))) throw new Error(`The backend ${values.backend} does not start.`);
await tf.ready();

const conv = (x, filters, kernelSize, strides = 1) =>
  tf.layers.conv2d({ filters, kernelSize, strides, padding: 'same' }).apply(x);
const norm = (x) => tf.layers.batchNormalization().apply(x);
const relu = (x) => tf.layers.activation({ activation: 'relu' }).apply(x);

/** relu(bn(conv(relu(bn(conv(x))))) + shortcut(x)) */
function residual(x, channels, strides, projects) {
  const y = norm(conv(relu(norm(conv(x, channels, 3, strides))), channels, 3));
  return relu(tf.layers.add().apply([y, projects ? conv(x, channels, 1, strides) : x]));
}

const input = tf.input({ shape: [size, size, 1] });
let y = tf.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(relu(norm(conv(input, 64, 7, 2))));
for (const [stage, channels] of [64, 128, 256, 512].entries()) {
  y = residual(y, channels, stage > 0 ? 2 : 1, stage > 0);
  y = residual(y, channels, 1, false);
}
y = tf.layers.dense({ units: 10 }).apply(tf.layers.globalAveragePooling2d({}).apply(y));
const net = tf.model({ inputs: input, outputs: y });
const x = tf.randomUniform([batch, size, size, 1]);
const labels = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  ),
  10,
);
net.compile({
  optimizer: tf.train.sgd(0.05),
  loss: (target, logits) => tf.losses.softmaxCrossEntropy(target, logits),
});

async function trainingStep() {
  return Number(await net.trainOnBatch(x, labels));
}

async function inferenceStep() {
  const scores = net.predict(x);
  const first = (await scores.data())[0];
  scores.dispose();
  return first;
}

const step = values.task === 'training' ? trainingStep : inferenceStep;
const warmup = steps > 1 ? 1 : 0;
const seconds = [];
const delay = monitorEventLoopDelay({ resolution: 5 });
let [loss, firstStepSeconds] = [0, 0];
for (let i = 0; i < warmup + steps; i++) {
  if (i === warmup) {
    delay.enable();
    await pause(20); // the first time that the timer fires is not measured
  }
  const start = performance.now();
  loss = await step();
  if (i === 0) firstStepSeconds = performance.now() / 1000;
  if (i >= warmup) seconds.push((performance.now() - start) / 1000);
}
await pause(20); // a timer that was held up fires now
delay.disable();
const run = {
  library: `TensorFlow.js ${tf.version_core ?? tf.version.tfjs}, ${values.backend}`,
  seconds,
  batch,
  eventLoopDelayMs: Math.max(0, delay.max / 1e6 - 5),
  firstStepSeconds,
  peakRssBytes: Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024,
  loss,
};
process.stdout.write(`${JSON.stringify(run)}\n`);
