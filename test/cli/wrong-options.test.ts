// Every argument and option of every command with something wrong: one line that says what was expected, and the nearest name.
import type { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../lib/cli/program.js';

/** The command line in this process: status, and what was written on stderr. */
async function residua(args: readonly string[]): Promise<{ status: number; stderr: string }> {
  const program = buildProgram();
  let stderr = '';
  const writeErr = (text: string): void => {
    stderr += text;
  };
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr });
  const outcome = program.parseAsync([...args], { from: 'user' });
  const status = await outcome.then(
    () => 0,
    (error: { code: string; exitCode: number }) => {
      expect(error.code).toMatch(/^commander\./);
      return error.exitCode === 0 ? 0 : 2; // as `run` has it
    },
  );
  return { status, stderr };
}

const commands = buildProgram().commands;
const visible = (command: Command): Option[] => command.options.filter(({ hidden }) => !hidden);
const named = (command: Command): [string, string, Option][] =>
  visible(command).map((option) => [command.name(), option.flags, option]);

/** What nothing can be said about before it is used. */
const takesAnyText = / <(file|folder|list|address)>$/;

const withValue = commands.flatMap(named).filter(([, , { required, optional }]) => required || optional);
const checked = withValue.filter(([, , { parseArg }]) => parseArg !== undefined);
const lastLine = (command: string): string => `(residua ${command} --help tells more)\n`;

describe('a wrong value', () => {
  test.each(checked)('%s %s', async (command, flags, option) => {
    const { status, stderr } = await residua([command, `${option.long}=(`]);
    expect(status).toBe(2);
    const [line = '', ...rest] = stderr.split('\n');
    expect(line.startsWith(`error: option '${flags}' argument '(' is invalid. `)).toBe(true);
    expect(line).toMatch(/Expected |There is no model/);
    expect(rest.join('\n')).toBe(lastLine(command));
    for (const choice of option.argChoices ?? []) expect(line).toContain(`'${choice}'`);
  });

  test.each([
    [['--epochs', '0'], 'of at least 1.'],
    [['--epochs', '3000000000'], 'from 1 to 2147483647.'],
    [['--workers', '65'], 'from 0 to 64.'],
  ])('%j: the limits that matter', async (args, limits) => {
    const { stderr } = await residua(['train', ...args]);
    expect(stderr.split('\n')[0]).toMatch(new RegExp(`Expected a whole number ${limits}$`));
  });

  test.each(withValue.filter(([, , { parseArg }]) => parseArg === undefined))(
    '%s %s names a file, a folder, a list or an address',
    (_, flags) => expect(flags).toMatch(takesAnyText),
  );

  const choices = checked.flatMap(([command, , option]) =>
    (option.argChoices ?? []).map((choice): [string, string, string] => [command, option.long as string, choice]),
  );
  test.each(choices)('%s %s: the nearest to a misspelt %s is suggested', async (command, option, choice) => {
    const { status, stderr } = await residua([command, `${option}=${choice}x`]);
    expect(status).toBe(2);
    expect(stderr.split('\n')[0]).toMatch(new RegExp(`Did you mean '${choice.replaceAll('.', '\\.')}'\\?$`));
  });

  test.each([
    [['train', '--precision', 'bf16'], "'bfloat16'"],
    [['train', '--schedule', 'cosin'], "'cosine'"],
    [['train', '--on-nan', 'rollbak'], "'rollback'"],
    [['train', '--data', 'cifar'], "'cifar10'"],
    [['train', '--data', 'folders:x'], "'folder:PATH'"],
    [['train', '--model', 'resnet19'], "'resnet18'"],
    [['train', '--device', 'cuda'], "'gpu'"],
    [['train', '--device', 'cuda:0'], "'gpu'"],
    [['train', '--normalize', 'imagnet'], "'imagenet'"],
    [['train', '--device', 'gpu0'], "'gpu'"],
    [['export', 'run', '--format', 'onx'], "'onnx'"],
    [['predict', '--model', 'resnet-50', 'x'], "'resnet50'"],
    [['summary', 'renset50'], "'resnet50'"],
  ])('%j suggests %s', async (args, nearest) => {
    const { status, stderr } = await residua(args);
    expect(status).toBe(2);
    expect(stderr.split('\n')[0]).toContain(`Did you mean ${nearest}?`);
  });
});

describe('no value', () => {
  test.each(withValue.filter(([, , { required }]) => required))('%s %s', async (command, flags, option) => {
    const { status, stderr } = await residua([command, option.long as string]);
    expect(status).toBe(2);
    expect(stderr).toBe(`error: option '${flags}' argument missing\n${lastLine(command)}`);
  });
});

test.each(withValue.filter(([, , { required }]) => required))(
  'an option in place of the value of %s %s',
  async (command, flags, option) => {
    const { status, stderr } = await residua([command, option.long as string, '--verbose']);
    expect(status).toBe(2);
    expect(stderr).toBe(`error: option '${flags}' argument missing\n${lastLine(command)}`);
  },
);

describe('a misspelt name', () => {
  /** What must be there for anything else to be looked at. */
  const needed: Record<string, string[]> = { export: ['--format', 'onnx', '--out', 'net.onnx'] };

  const all = commands.flatMap((command) =>
    command.options.map((option): [string, string, Option] => [command.name(), option.flags, option]),
  );
  test.each(all)('%s %s', async (command, _, option) => {
    const { status, stderr } = await residua([command, ...(needed[command] ?? []), `${option.long}q`]);
    expect(status).toBe(2);
    const [line, suggestion] = stderr.split('\n');
    expect(line).toBe(`error: unknown option '${option.long}q'`);
    expect(suggestion).toMatch(/^\(Did you mean .*\?\)$/);
    expect(suggestion).toContain(option.long as string);
  });

  test.each(commands.map((command) => command.name()))('%s', async (name) => {
    const { status, stderr } = await residua([`${name}q`]);
    expect(status).toBe(2);
    expect(stderr).toContain(`error: unknown command '${name}q'\n(Did you mean ${name}?)\n`);
  });
});

describe('arguments', () => {
  test.each(commands.filter(({ registeredArguments: [first] }) => first?.required).map((command) => command.name()))(
    '%s without its own',
    async (name) => {
      const { status, stderr } = await residua(name === 'export' ? [name, '--format=onnx', '--out=x'] : [name]);
      expect(status).toBe(2);
      expect(stderr).toMatch(new RegExp(`^error: missing required argument '[\\w.-]+'\\n\\(residua ${name} --help`));
    },
  );
});
