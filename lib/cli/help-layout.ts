// How help is laid out: descriptions beside the options, or below them on a terminal that is too narrow for two columns.
import type { Help, HelpConfiguration } from 'commander';
import { wrapped } from './terminal.js';

/** Commander's own width where there is no terminal. */
export const usualHelpWidth = 80;
/** Descriptions stand beside the options where so many columns are left for them. */
const leastBeside = 24;
/** Of a description below its option. */
const indent = '      ';
const around = '  '; // before an option, and between it and what it does

/** For `configureHelp`. */
export const helpLayout: HelpConfiguration = {
  minWidthToWrap: 1,
  formatItem(this: Help, term: string, termWidth: number, description: string, helper: Help): string {
    const width = helper.helpWidth ?? usualHelpWidth;
    const beside = width - termWidth - 2 * around.length;
    if (beside < leastBeside) return itemBelow(term, description, width);
    const lines = wrapped(description, beside).split('\n');
    const column = ' '.repeat(termWidth + 2 * around.length);
    return `${around}${term.padEnd(termWidth)}${around}${lines.join(`\n${column}`)}`.trimEnd();
  },
};

/** An option that is too long itself goes on below its beginning. */
function itemBelow(term: string, description: string, width: number): string {
  const head = wrapped(around + term, width, indent).replace(/^ *\n/, '');
  return description ? `${head}\n${wrapped(indent + description, width, indent).replace(/^ *\n/, '')}` : head;
}
