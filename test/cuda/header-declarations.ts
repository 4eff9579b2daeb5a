// Reads the declarations out of the emulation's headers: plain C, one style, so that a few patterns are enough. Whoever
// reads them says how many it expects, for a pattern that no longer fits would find nothing.

export interface Field {
  type: string;
  name: string;
  /** "" or "[3]". */
  dimension: string;
}

export interface Declarations {
  /** Enumerators and macros that stand for numbers. */
  constants: string[];
  /** Macros that stand for a function's versioned name. */
  aliases: { alias: string; name: string }[];
  functions: { name: string; returns: string; parameters: string }[];
  structures: { name: string; fields: Field[] }[];
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');

/** The text within the bracket that opens at `start`. */
function bracketed(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(start + 1, at);
  }
  throw new Error('A bracket that is never closed.');
}

function readConstants(text: string): string[] {
  const enumerators = [...text.matchAll(/\benum\b[^;{}()]*\{/g)].flatMap((found) =>
    bracketed(text, found.index + found[0].length - 1)
      .split(',')
      .map((each) => each.replace(/=[\s\S]*/, '').trim())
      .filter(Boolean),
  );
  const macros = [...text.matchAll(/^#define (\w+) +(?:0x[\da-fA-F]+|\d+|\([^\n\\]*\))$/gm)].map((found) => found[1]!);
  return [...enumerators, ...macros];
}

function readFunctions(text: string): Declarations['functions'] {
  return [...text.matchAll(/extern "C" \{/g)].flatMap((block) =>
    [
      ...bracketed(text, block.index + block[0].length - 1).matchAll(
        /^((?:const )?\w+\*?) (\w+)\(([\s\S]*?)\);$/gm, // cudaError_t cudaFree(void* devPtr);
      ),
    ].map(([, returns, name, parameters]) => ({
      name: name!,
      returns: returns!,
      parameters: parameters!.replace(/ = \w+/g, '').replace(/\s+/g, ' '),
    })),
  );
}

function readFields(body: string): Field[] {
  return body
    .split(';')
    .map((each) => each.trim())
    .flatMap((statement) => {
      const found = /^((?:enum |struct |unsigned |const )*\w+\**) ((?:\w+(?:\[\w+\])?(?:, )?)+)$/.exec(statement);
      if (!found) return [];
      return found[2]!.split(', ').map((name) => ({
        type: found[1]!,
        name: name.replace(/\[.*/, ''),
        dimension: /\[.*/.exec(name)?.[0] ?? '',
      }));
    });
}

// Structures with public members only: those that C has too.
function readStructures(text: string): Declarations['structures'] {
  const named = [...text.matchAll(/^struct (?:alignas\(\d+\) )?(\w+) \{/gm)].map((found) => ({
    name: found[1]!,
    body: bracketed(text, found.index + found[0].length - 1),
  }));
  const typedefs = [...text.matchAll(/^typedef struct \{/gm)].map((found) => {
    const body = bracketed(text, found.index + found[0].length - 1);
    const end = found.index + found[0].length + body.length;
    return { name: /^\}\s*(\w+);/.exec(text.slice(end))![1]!, body };
  });
  return [...named, ...typedefs]
    .filter(({ body }) => !body.includes('private:'))
    .map(({ name, body }) => ({ name, fields: readFields(body) }));
}

export function readDeclarations(header: string): Declarations {
  const text = withoutComments(header);
  return {
    constants: readConstants(text),
    aliases: [...text.matchAll(/^#define (\w+) (\w+_v\d)$/gm)].map(([, alias, name]) => ({
      alias: alias!,
      name: name!,
    })),
    functions: readFunctions(text),
    structures: readStructures(text),
  };
}
