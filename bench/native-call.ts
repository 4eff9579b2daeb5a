// The time of one call from JavaScript to native code: the smallest op, enqueued and not waited for. Writes bench/results/native-call.json.
import { ops, tensor, tidy } from 'residua';
import { median, writeResult } from './harness.js';

const calls = 200; // fewer than the queue holds, so that no call waits for room
const x = tensor(new Float32Array(16)); // [16]

const microseconds: number[] = [];
for (let round = 0; round < 200; round++) {
  const elapsed = tidy(() => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) ops.relu(x);
    return performance.now() - start;
  });
  microseconds.push((elapsed * 1000) / calls);
  await x.data(); // drains the queue
}
const result = {
  op: 'relu of 16 elements: check, plan, allocate, enqueue',
  microsecondsMedian: Number(median(microseconds).toFixed(2)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
writeResult('native-call', result);
