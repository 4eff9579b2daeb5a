// How images are grouped as they are found: full groups, what is there when nothing more comes, failures.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inGroups } from '../../lib/cli/image-sources.js';

async function* numbers(count: number, pause?: { after: number; milliseconds: number }): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    if (pause?.after === i) await delay(pause.milliseconds);
    yield i;
  }
}

async function groupsOf(items: AsyncIterator<number>, most: number, patience: number): Promise<number[][]> {
  const groups: number[][] = [];
  for await (const group of inGroups(items, most, patience)) groups.push(group);
  return groups;
}

test.each([
  [0, []],
  [1, [[0]]],
  [3, [[0, 1, 2]]],
  [7, [[0, 1, 2], [3, 4, 5], [6]]],
])('%i items, three a group', async (count, groups) => {
  expect(await groupsOf(numbers(count), 3, 10_000)).toEqual(groups);
});

test('a group does not wait for what comes later', async () => {
  expect(await groupsOf(numbers(3, { after: 2, milliseconds: 300 }), 3, 20)).toEqual([[0, 1], [2]]);
});

test('what was found before a failure is grouped, then the failure is thrown', async () => {
  async function* failing(): AsyncGenerator<number> {
    yield* numbers(4);
    throw new Error('gone');
  }
  const groups = inGroups(failing(), 3, 10_000);
  expect((await groups.next()).value).toEqual([0, 1, 2]);
  await expect(groups.next().then(() => groups.next())).rejects.toThrow('gone');
});
