// The page of the command line, docs/command-line.md, from the commands themselves: `npm run docs` writes it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Argument, Command, Option } from 'commander';
import { buildProgram } from '../lib/cli/program.js';
import { type ConfigPlace, configPlace } from './command-line-page/config-place.mjs';

export const pageFile = fileURLToPath(new URL('../docs/command-line.md', import.meta.url));

/** The whole page in Markdown. */
export function commandLinePage(): string {
  const program = buildProgram();
  return [
    '# The command line',
    '<!-- Written by `npm run docs` from lib/cli: edit there. -->',
    `${program.description()} Each command has \`--help\` too.`,
    optionTable(program, program.options),
    helpAfter(program),
    program.commands
      .map((command) => `- [${command.name()}](#residua-${command.name()}): ${command.description()}`)
      .join('\n'),
    ...program.commands.flatMap(sectionsOf),
    '',
  ]
    .filter((section) => section !== null)
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** A command: what it does, how it is called, its arguments, its options group by group, what its help adds. */
function sectionsOf(command: Command): (string | null)[] {
  const name = `residua ${command.name()}`;
  const options = command.options.filter(({ hidden }) => !hidden);
  const groups = [...new Set(options.map(({ helpGroupHeading }) => helpGroupHeading))];
  return [
    `## ${name}`,
    escaped(command.description()),
    ['```', `${name} ${command.usage()}`, '```'].join('\n'),
    argumentList(command.registeredArguments),
    ...groups.flatMap((group) => [
      groups.length > 1 ? `### ${(group ?? 'Options').replace(/:$/, '')}` : null,
      optionTable(
        command,
        options.filter(({ helpGroupHeading }) => helpGroupHeading === group),
      ),
    ]),
    helpAfter(command),
  ];
}

function argumentList(args: readonly Argument[]): string | null {
  if (args.length === 0) return null;
  return args.map((argument) => `- \`${argument.name()}\`: ${escaped(argument.description)}`).join('\n');
}

function optionTable(command: Command, options: readonly Option[]): string {
  const places = options.map((option) => (command.name() === 'train' ? configPlace(option) : null));
  const hasPlaces = places.some((place) => place !== null);
  const rows = options.map((option, i) => [
    `\`${option.flags}\``,
    descriptionOf(option),
    defaultOf(option, places[i] ?? null),
    ...(hasPlaces ? [places[i] ? `\`${places[i].path}\`` : ''] : []),
  ]);
  const head = ['option', 'what', 'default', ...(hasPlaces ? ['in a config'] : [])];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** A default that the text tells has a column of its own. */
const toldDefault = /\s*\(default: (.*?)\)(?=$|[^)]*$)/;

function descriptionOf({ description, argChoices, mandatory }: Option): string {
  const choices = argChoices && `${argChoices.map((choice) => `\`${choice}\``).join(', ')}`;
  const text = escaped(description.replace(toldDefault, ''));
  return [mandatory ? `${text} (required)` : text, choices].filter(Boolean).join(': ');
}

function defaultOf(option: Option, place: ConfigPlace | null): string {
  if (option.defaultValue !== undefined && !option.negate) return `\`${option.defaultValue}\``;
  const told = toldDefault.exec(option.description)?.[1];
  return escaped(told ?? place?.default ?? '');
}

/** What the help says below the options. */
function helpAfter(command: Command): string | null {
  let text = '';
  command.configureOutput({
    getOutHelpWidth: () => 120,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  const after = text.slice(command.helpInformation().length).trim();
  return after === '' ? null : ['```text', after, '```'].join('\n');
}

/** Text that Markdown takes as it is, also within a table. */
function escaped(text: string): string {
  return text.replace(/[<|*]/g, (sign) => ({ '<': '&lt;', '|': '\\|', '*': '\\*' })[sign] as string);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(pageFile), { recursive: true });
  writeFileSync(pageFile, commandLinePage());
  process.stdout.write(`wrote ${pageFile}\n`);
}
