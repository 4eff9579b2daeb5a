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
])('on %s columns no line is longer', (width, most) => {
  for (const [name, lines] of helps(width))
    expect(
      lines.filter((line) => line.length > most && !isUsage(line)),
      name,
    ).toEqual([]);
});

test('a wide terminal has each paragraph below the options on one line', () => {
  const [, lines] = helps(300).find(([name]) => name === 'train') as [string, string[]];
  expect(lines.at(-2)).toMatch(/^Ctrl-C ends .* after it has ended\.$/);
});
