// What a command's help says below the options: paragraphs as wide as the rest of it.
import type { AddHelpTextContext } from 'commander';
import { usualHelpWidth } from './help-layout.js';
import { wrapped } from './terminal.js';

/** For `addHelpText('after', ...)`. */
export function afterHelp(...paragraphs: readonly string[]): (context: AddHelpTextContext) => string {
  return ({ error, command }) => {
    const { getErrHelpWidth, getOutHelpWidth } = command.configureOutput();
    const width = (error ? getErrHelpWidth : getOutHelpWidth)?.() ?? usualHelpWidth;
    return `\n${paragraphs.map((paragraph) => wrapped(paragraph, width)).join('\n')}`;
  };
}
