// The text of history.json: keys and values line by line, as people read them, but a list of numbers on one line.

/** As JSON.stringify with an indentation of two; a row of a confusion matrix, which has a number for each class, is one line. */
export function recordText(value: object): string {
  return `${textOf(value, '')}\n`;
}

function textOf(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null || isNumbers(value)) return JSON.stringify(value) ?? 'null';
  const inner = `${indent}  `;
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((each) => textOf(each, inner))]
    : ['{', '}', membersOf(value, inner)];
  return parts.length === 0 ? open + close : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

const membersOf = (value: object, indent: string): string[] =>
  Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}: ${textOf(member, indent)}`);

const isNumbers = (value: object): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
