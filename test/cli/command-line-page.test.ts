// docs/command-line.md is that of the commands as they are, and these describe everything.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../lib/cli/program.js';
import { commandLinePage, pageFile } from '../../scripts/command-line-page.mjs';

const page = commandLinePage();
const commands = buildProgram().commands;

test('the page is that of the commands: npm run docs writes it', () => {
  expect(readFileSync(pageFile, 'utf8')).toBe(page);
});

describe.each(commands.map((command) => [command.name(), command] as const))('%s', (name, command) => {
  const [, section = ''] = page.split(`\n## residua ${name}\n`);
  const own = section.split('\n## ')[0] as string;

  test('tells what it does, in a section of its own', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/s);
    expect(own).toContain(command.description());
  });

  test.each([...command.registeredArguments])('describes the argument $_name', (argument) => {
    expect(argument.description).not.toBe('');
    expect(own).toContain(`\`${argument.name()}\`: `);
  });

  test.each(command.options.filter(({ hidden }) => !hidden))('describes $flags', ({ flags, description }) => {
    expect(description.length).toBeGreaterThan(5);
    const row = own.split('\n').find((line) => line.startsWith(`| \`${flags}\` | `));
    expect(row?.split(' | ')[1]).toContain(description.slice(0, 5));
  });
});

test('options of train tell where they are in a config, and what they are by default there', () => {
  expect(page).toMatch(/^\| `--final-lr <share>` \| .* \| 0; 4e-6 for one-cycle \| `schedule\.final` \|$/m);
  expect(page).toMatch(/^\| `--decay-factor <factor>` \| .* \| 0\.1 \| `schedule\.factor` \|$/m);
  expect(page).toMatch(/^\| `--balanced` \| .* \| off \| `data\.balanced` \|$/m);
  expect(page).toMatch(/^\| `--mixup <alpha>` \| .* \| none \| `mixup` \|$/m);
  expect(page).toMatch(/^\| `--device <name>` \| .* \| RESIDUA_DEVICE, .* \| `device` \|$/m);
  expect(page).toMatch(/^\| `--dry-run` \| .* \| {2}\| {2}\|$/m);
});
