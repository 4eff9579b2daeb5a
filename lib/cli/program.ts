// The command line's frame: commands, common options, and what errors come to.
import type { EventEmitter } from 'node:events';
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../version.js';
import { afterHelp } from './after-help.js';
import { compareCommand } from './commands/compare.js';
import { doctorCommand } from './commands/doctor.js';
import { evalCommand } from './commands/eval.js';
import { exportCommand } from './commands/export.js';
import { predictCommand } from './commands/predict.js';
import { reportCommand } from './commands/report.js';
import { serveCommand } from './commands/serve.js';
import { summaryCommand } from './commands/summary.js';
import { trainCommand } from './commands/train.js';
import { describeError } from './errors.js';
import { exitStatus } from './exit-status.js';
import { helpLayout } from './help-layout.js';
import { sayingWarnings } from './warnings.js';

/** Every command with its options. */
export function buildProgram(): Command {
  const program = new Command('residua')
    .description('Trains and runs ResNets, on NVIDIA GPUs through cuDNN and on any CPU through oneDNN.')
    .version(packageVersion())
    .enablePositionalOptions() // --version is the program's alone before a command, and of a net's form after it
    .addHelpText('after', afterHelp('Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.'));
  for (const command of [
    trainCommand(),
    evalCommand(),
    predictCommand(),
    serveCommand(),
    exportCommand(),
    reportCommand(),
    compareCommand(),
    summaryCommand(),
    doctorCommand(),
  ]) {
    command
      .option('--verbose', 'show the stack of an error')
      .showHelpAfterError(`(residua ${command.name()} --help tells more)`);
    refuseOptionsAsValues(command);
    suggestHiddenOptions(command);
    program.addCommand(command);
  }
  for (const command of [program, ...program.commands]) command.exitOverride().configureHelp(helpLayout);
  return program;
}

const warn = (line: string): void => void process.stderr.write(`${line}\n`);

/** `--out --dry-run` lacks the folder: the next option is not its value. */
function refuseOptionsAsValues(command: Command): void {
  for (const option of command.options.filter(({ required }) => required))
    (command as unknown as EventEmitter).prependListener(`option:${option.name()}`, (value: string) => {
      if (command.options.some(({ long }) => long === value))
        command.error(`error: option '${option.flags}' argument missing`, { code: 'commander.optionMissingArgument' });
    });
}

/** What a misspelt option is compared with has those that help leaves out, too: `--no-flipp` is nearest to `--no-flip`. */
function suggestHiddenOptions(command: Command): void {
  const refusing = command as unknown as { unknownOption(flag: string): void };
  const refuse = refusing.unknownOption.bind(command);
  refusing.unknownOption = (flag) => {
    for (const option of command.options) option.hidden = false; // no help is shown any more
    refuse(flag);
  };
}

/** Runs the command line `args` (without node and script). Sets process.exitCode; throws nothing. */
export async function run(args: string[]): Promise<void> {
  try {
    await sayingWarnings(warn, async () => void (await buildProgram().parseAsync(args, { from: 'user' })));
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has written its message, or the help that was asked for
      process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
      return;
    }
    process.stderr.write(`${describeError(error, args.includes('--verbose'))}\n`);
    process.exitCode = exitStatus.failed;
  }
}
