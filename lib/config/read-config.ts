// Config files: YAML, of which JSON is a part; errors tell the line.
import { readFileSync } from 'node:fs';
import { type Document, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError } from '../errors.js';
import { trainKind } from './fields.js';
import { type Problem, problemIn } from './kinds.js';
import { describeProblem, keyPath } from './problem.js';
import type { PartialTrainConfig } from './train-config.js';

/**
 * The config in a YAML or JSON file, each key checked by itself; `resolveConfig` fills in the rest. An empty file is an empty config.
 * Throws ConfigError: file, line and column (from 1), key, what was expected, what came, the nearest known name.
 */
export function readConfigFile(path: string): PartialTrainConfig {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new ConfigError(`${path}:${line}:${col}: expected YAML or JSON: ${withStop(error.message)}`, {
      file: path,
      line,
      column: col,
    });
  }
  const { $schema, ...config } = contentOf(path, document);
  const problem = problemIn(trainKind, config);
  if (problem) throw problemError(path, document, lines, problem);
  return $schema === undefined ? config : { $schema: String($schema), ...config };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(
      `${path}: expected a config file, YAML or JSON, that can be read: ${(cause as Error).message}.`,
      { file: path },
      { cause },
    );
  }
}

function contentOf(path: string, document: Document): Record<string, unknown> {
  const content = toPlain(path, document) ?? {};
  if (typeof content === 'object' && !Array.isArray(content)) return content as Record<string, unknown>;
  throw new ConfigError(
    `${path}:1:1: expected keys and values, such as 'epochs: 10', got ${JSON.stringify(content).slice(0, 80)}.`,
    {
      file: path,
      line: 1,
      column: 1,
      found: content,
    },
  );
}

/** Aliases that would multiply themselves are refused by the parser when it resolves them. */
function toPlain(path: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new ConfigError(
      `${path}: expected YAML or JSON: ${withStop((cause as Error).message)}`,
      { file: path },
      { cause },
    );
  }
}

function problemError(path: string, document: Document, lines: LineCounter, problem: Problem): ConfigError {
  const { line, col } = lines.linePos(offsetOf(document, problem));
  return new ConfigError(`${path}:${line}:${col}: ${describeProblem(problem)}`, {
    file: path,
    line,
    column: col,
    argument: keyPath(problem.path),
    expected: problem.expected,
    found: problem.found,
    nearest: problem.nearest,
  });
}

/** Of the unknown key, or of the wrong value. */
function offsetOf(document: Document, { path, unknownKey }: Problem): number {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const items = (parent as { items?: { key?: Node }[] } | null)?.items;
  const key = items?.find((item) => String(item.key) === unknownKey?.key)?.key;
  const node = key ?? (document.getIn(path, true) as Node | undefined) ?? document.contents;
  return node?.range?.[0] ?? 0;
}

const withStop = (text: string): string => `${text.replace(/\.$/, '')}.`;
