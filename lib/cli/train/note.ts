// Words that are not results: they go to stderr.

export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
