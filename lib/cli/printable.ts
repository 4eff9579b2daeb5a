// Text that comes from outside, such as names of files, as it may go to a terminal.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Control characters, and those that turn the direction of writing, as escapes: a name can move no cursor and hide no text. */
export const printable = (text: string): string =>
  text.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
