// The data loader alone: images/s of shuffled Fashion-MNIST batches at 96x96 and 28x28. Writes bench/results/loader.json.
import { data } from 'residua';
import { writeResult } from './harness.js';

const batch = 256;
const results = [];
for (const size of [96, 28]) {
  const [train] = await data.loadDataFashionMnist(batch, { resize: size });
  let images = 0;
  let start = 0;
  let batches = 0;
  for await (const [x, y] of train) {
    if (batches === 2) start = performance.now(); // after the buffers' first touch
    if (batches++ >= 2) images += x.shape[0]!;
    x.dispose();
    y.dispose();
  }
  const imagesPerSecond = Math.round(images / ((performance.now() - start) / 1000));
  results.push({ size, imagesPerSecond });
  process.stdout.write(`${size}x${size}: ${imagesPerSecond} images/s\n`);
}
writeResult('loader', { batch, results });
