// The help of every command on terminals of several widths, and on none.
import { expect, test } from 'vitest';
import { buildProgram } from '../../lib/cli/program.js';

/** What --help prints of each command. */
function helps(width: number | undefined): [name: string, lines: string[]][] {
  const program = buildProgram();
  return [program, ...program.commands].map((command) => {
    let text = '';
    command.configureOutput({
      getOutHelpWidth: () => width as number,
      writeOut: (part) => {
        text += part;
      },
    });
    command.outputHelp();
    return [command.name(), text.split('\n')];
  });
}

const isUsage = (line: string): boolean => /^(Usage:| {7}residua )/.test(line); // one line to copy

test.each([
  [undefined, 80],
  [80, 80],
  [60, 60],
  [55, 55],
  [47, 47],
  [40, 40],
])('on %s columns no line is longer', (width, most) => {
  for (const [name, lines] of helps(width))
    expect(
      lines.filter((line) => line.length > most && !isUsage(line)),
      name,
    ).toEqual([]);
});

test.each([40, 47, 55])('on %i columns each description is below its option, and none is broken to shreds', (width) => {
  const [, lines] = helps(width).find(([name]) => name === 'train') as [string, string[]];
  const options = lines.flatMap((line, i) => (/^ {2}-/.test(line) ? [i] : []));
  expect(options.length).toBeGreaterThan(50);
  for (const i of options) expect(lines[i + 1], lines[i]).toMatch(/^ {6}\S/);
  const shreds = lines.filter((line, i) => /^ {6}/.test(line) && /^ {6}/.test(lines[i + 1] ?? '') && line.length < 20);
  expect(shreds.length).toBeLessThan(options.length / 10);
});

test('a wide terminal has each paragraph below the options on one line', () => {
  const [, lines] = helps(300).find(([name]) => name === 'train') as [string, string[]];
  expect(lines.at(-2)).toMatch(/^Ctrl-C ends .* after it has ended\.$/);
});
