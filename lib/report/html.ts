// HTML as a type of its own: text that is put into it is escaped, unless it is HTML already.
import { escapeXml } from '../train/report/svg.js';

/** Markup that is safe to put into a page. Made by `html` and `trusted` alone. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = Html | string | number | null | readonly Part[];

/** A template of markup. Strings and numbers in it are escaped, for content and for quoted attributes; null is nothing; lists are joined. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(markup.map((text, i) => (i === 0 ? text : markupOf(parts[i - 1] ?? null) + text)).join(''));
}

/** A name that may be broken after each slash: that of a nested class or of a file. */
export const breakable = (name: string): Html =>
  html`${name.split(/(?<=\/)/).map((part, i) => (i === 0 ? html`${part}` : html`<wbr>${part}`))}`;

/** Markup of our own: a style sheet, a script, SVG of escaped parts. */
export const trusted = (markup: string): Html => new Html(markup);

function markupOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'string' || typeof part === 'number') return escapeXml(String(part));
  return part.map(markupOf).join('');
}
