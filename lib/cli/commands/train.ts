// residua train: trains a net on images; writes weights, curves and a report.
import { Command } from 'commander';
import { afterHelp } from '../after-help.js';
import { addTrainOptions, type TrainOptions } from '../train/options.js';

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      "Trains a net on images: the chapter's ResNet-18 on Fashion-MNIST, a recipe, or what a config file and options say.",
    )
    .argument(
      '[recipe-or-config]',
      'chapter, fashion-mnist, cifar10, imagenet, or a config file (YAML or JSON); options win over it',
    );
  return addTrainOptions(command)
    .addHelpText(
      'after',
      afterHelp(
        'Without a recipe: what suits the data, the net and the device; --dry-run shows it. An option that is on in a config file is turned ' +
          "off with --no- before its name (--no-flip), and a number with 'none' (--limit none).",
        'Ctrl-C ends the current step, writes a checkpoint, tells how to go on and exits with status 130; once more leaves at once, as the ' +
          'first does before training begins and after it has ended.',
      ),
    )
    .action(train);
}

async function train(argument: string | undefined, options: TrainOptions, command: Command): Promise<void> {
  const [{ planRun }, { planResumption }] = await Promise.all([
    import('../train/plan.js'),
    import('../train/resumption.js'),
  ]);
  const { resume, dryRun, out } = options;
  const plan =
    resume === undefined
      ? planRun(argument, options, command)
      : await planResumption(argument, { ...options, resume }, command);
  if (dryRun) {
    const { dryRun: show } = await import('../train/dry-run.js');
    return show(plan);
  }
  const { executeRun } = await import('../train/run.js');
  await executeRun(plan, out);
}
