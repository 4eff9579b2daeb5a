// What a person is told about an error: one line, with a remedy where there is one.
import { expect, test } from 'vitest';
import { describeError } from '../../lib/cli/errors.js';
import { BackendUnavailableError, DataError, OutOfMemoryError } from '../../lib/errors.js';

test('one line, also for messages of several', () => {
  const error = new DataError('No data in any of\n  /a\n  /b\nInstall it.');
  expect(describeError(error, false)).toBe('error: No data in any of /a /b Install it.');
});

test('remedies', () => {
  expect(describeError(new OutOfMemoryError('Memory ran out.'), false)).toContain('--batch-size');
  expect(describeError(new BackendUnavailableError('No GPU.'), false)).toContain('residua doctor');
});

test('system errors speak for themselves; unexpected ones say that they are', () => {
  expect(describeError(Object.assign(new Error('ENOSPC: no space left'), { syscall: 'write' }), false)).toBe(
    'error: ENOSPC: no space left',
  );
  expect(describeError(new TypeError('x is not a function'), false)).toContain('should not happen');
  expect(describeError('text', false)).toBe('error: text');
});

test('verbose adds the stack and the causes', () => {
  const text = describeError(new DataError('outer', {}, { cause: new Error('inner') }), true);
  expect(text.split('\n')[0]).toBe('error: outer');
  expect(text).toContain('errors.test.ts');
  expect(text).toContain('caused by: Error: inner');
});
