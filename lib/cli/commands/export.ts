// residua export: a trained net as a file for other programs.
import { Command } from 'commander';
import { cpu } from '../../device.js';
import { exportOnnx, saveWeights } from '../../interop/index.js';
import { afterHelp } from '../after-help.js';
import { count } from '../format.js';
import { choiceOption } from '../options.js';
import { openSavedNet, type SavedNetOptions } from '../saved-net.js';
import { addSavedNetOptions } from '../saved-net-options.js';

interface ExportOptions extends SavedNetOptions {
  format: 'onnx' | 'safetensors';
  out: string;
  batchNorm?: 'fold' | 'keep';
  names?: 'residua' | 'torchvision';
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description(
      'Writes a trained net as a file for other programs: the whole net (ONNX) or its weights (safetensors).',
    )
    .argument(
      '<run-or-weights>',
      'the folder of a run of residua train, or with --model a file of weights (safetensors, .pth)',
    )
    .addOption(choiceOption('--format <format>', 'what to write', ['onnx', 'safetensors']).makeOptionMandatory())
    .requiredOption('--out <file>', 'where to write');
  return addSavedNetOptions(command)
    .addOption(
      choiceOption('--batch-norm <how>', 'onnx: fold BatchNorm into the convolutions, or keep it (default: fold)', [
        'fold',
        'keep',
      ]),
    )
    .addOption(
      choiceOption('--names <whose>', 'safetensors: names of the tensors (default: residua)', [
        'residua',
        'torchvision',
      ]),
    )
    .addHelpText(
      'after',
      afterHelp(
        'An ONNX file takes float32 images [batch, channels, height, width] of any batch as `input`, divided by 255 and normalised as ' +
          'its metadata say, and gives logits as `output`.',
      ),
    )
    .action(write);
}

async function write(source: string, options: ExportOptions, command: Command): Promise<void> {
  const { format, out, batchNorm, names } = options;
  if (format !== 'onnx' && batchNorm !== undefined) command.error('error: --batch-norm goes with --format onnx');
  if (format !== 'safetensors' && names !== undefined) command.error('error: --names goes with --format safetensors');
  const { net, record } = await openSavedNet(source, options, cpu());
  if (format === 'safetensors') await saveWeights(net, out, { names });
  else
    await exportOnnx(net, out, {
      inputShape: [1, ...record.inputShape],
      classNames: record.classNames.length > 0 ? record.classNames : undefined,
      normalization: record.normalization,
      batchNorm,
      name: record.model,
    });
  const parameters = [...net.collectParams().values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, d) => product * d, 1),
    0,
  );
  process.stderr.write(
    `Wrote ${out}: ${record.model}, ${count(parameters)} parameters, input ${record.inputShape.join('x')}.\n`,
  );
}
