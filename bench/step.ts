// Training or inference steps of a net in residua, timed one by one; prints one JSON line.
// node --import tsx bench/step.ts --model r18@96 --task training --batch 256 --steps 7 --device cpu --precision float32
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Device, devices, setDevice, setPrecision, setThreads } from '../lib/index.js';
import { integer, main, parseOptions, words } from './arguments.js';
import { processBytes, type StepRun } from './harness.js';
import { makeStep, type Task, tasks } from './make-step.js';
import { modelOf } from './models.js';

async function run(): Promise<void> {
  const values = parseOptions({
    model: { type: 'string', default: 'r18@96' },
    batch: { type: 'string', default: '256' },
    steps: { type: 'string', default: '7' },
    'min-seconds': { type: 'string', default: '0' },
    warmup: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
    task: { type: 'string', default: 'training' },
    eager: { type: 'boolean', default: false },
    precision: { type: 'string', default: 'float32' },
  });
  const [steps, warmup] = [integer('steps', values.steps), integer('warmup', values.warmup, 0)];
  const minSeconds = integer('min-seconds', values['min-seconds'], 0);
  setThreads(integer('threads', values.threads));
  const device = new Device(values.device);
  setDevice(device);
  setPrecision(words('precision', values.precision, ['float32', 'bfloat16', 'float16'])[0]!);
  const [task] = words('task', values.task, tasks) as [Task];
  const step = makeStep(modelOf(values.model), task, integer('batch', values.batch), values.eager);

  const seconds: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let [lastLoss, firstStepSeconds, timed] = [0, 0, 0];
  for (let i = 0; i < warmup + steps || timed < minSeconds; i++) {
    if (i === warmup) delay.enable();
    const start = performance.now();
    lastLoss = await step();
    const took = (performance.now() - start) / 1000;
    if (i === 0) firstStepSeconds = performance.now() / 1000; // counted from the start of the process
    if (i < warmup) continue;
    seconds.push(took);
    timed += took;
  }
  delay.disable();
  const details = devices().find(({ name }) => name === device.name)?.details ?? {};
  const result: StepRun = {
    library: `residua on ${device.kind === 'cpu' ? details.library : JSON.stringify(details)}`,
    seconds,
    eventLoopDelayMs: Math.max(0, delay.max / 1e6 - 5),
    firstStepSeconds,
    peakRssBytes: processBytes('VmHWM'),
    loss: lastLoss,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await main(run);
