// Small building blocks of SVG text: elements, escaped text, the report's fonts and colours.

/** Colours told apart with every kind of colour vision (Okabe and Ito), and greys. */
export const colours = {
  ink: '#1f2328',
  muted: '#59636e',
  grid: '#e4e8ec',
  run: '#0072b2',
  runTrain: '#009e73',
  published: '#c75200',
  wrong: '#b3261e',
  paper: '#ffffff',
} as const;

export const fontFamily = "'Inter', 'Helvetica Neue', 'Segoe UI', 'DejaVu Sans', Arial, sans-serif";

type Attributes = Record<string, string | number | undefined>;

/** Text made safe for XML content and attribute values; characters that XML forbids are dropped. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** An element; `children` are SVG already, attributes are escaped here. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
  return children.length === 0 ? `<${name}${list}/>` : `<${name}${list}>${children.join('')}</${name}>`;
}

/** A line of text, escaped. */
export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, 'font-size': 13, fill: colours.ink, ...attributes }, escapeXml(content));
}

/** The children moved to (x, y). */
export function at(x: number, y: number, ...children: string[]): string {
  return element('g', { transform: `translate(${x},${y})` }, ...children);
}

/** A whole picture on the report's paper. `title` and `description` are for those who cannot see it. */
export function picture(
  { width, height, title, description }: { width: number; height: number; title?: string; description?: string },
  ...children: string[]
): string {
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` };
  const words = [
    ...(title === undefined ? [] : [element('title', {}, escapeXml(title))]),
    ...(description === undefined ? [] : [element('desc', {}, escapeXml(description))]),
  ];
  const paper = element('rect', { width, height, fill: colours.paper });
  return element('svg', { ...attributes, 'font-family': fontFamily, role: 'img' }, ...words, paper, ...children);
}
