// The text of history.json.
import { expect, test } from 'vitest';
import { recordText } from '../../lib/cli/run-record-text.js';
import { sampleRecord } from '../report/sample-run.js';

test('means what JSON.stringify writes, and is read line by line', () => {
  const record = { ...sampleRecord(), brokenImages: undefined, nothing: null, empty: [], none: {}, loss: Number.NaN };
  const text = recordText(record);
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(record)));
  expect(text).toMatch(/^\{\n {2}"model": "cifar-resnet20",\n/);
  expect(text).toContain('\n  "empty": [],\n  "none": {},\n  "loss": null\n}\n');
});

test('a row of a confusion matrix is one line', () => {
  const classes = 300;
  const classNames = Array.from({ length: classes }, (_, i) => `class ${i}`);
  const { epochs } = sampleRecord({ classNames, epochs: 1 });
  const [{ validation }] = epochs as [(typeof epochs)[number]];
  const lines = recordText({ confusion: validation?.confusion }).split('\n');
  expect(lines).toHaveLength(classes + 5);
  expect(lines[2]).toMatch(/^ {4}\[\d+(,\d+){299}\],$/);
});
