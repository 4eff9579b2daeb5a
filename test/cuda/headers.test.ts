// The emulation's own headers against NVIDIA's: every constant has the same value, every function the same signature,
// every structure the same members, and 16-bit conversions give the same bits. Skipped where a header is not found.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Declarations, readDeclarations } from './header-declarations.js';
import { folderOf, hasCompiler } from './real-headers.js';

const ours = fileURLToPath(new URL('../../native/cuda_emulation/include', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'residua-headers-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Compiles and runs a program; what it prints. */
function outputOf(name: string, source: string, includes: readonly string[]): string {
  const file = join(folder, `${name}.cc`);
  const program = join(folder, name);
  writeFileSync(file, source);
  const flags = includes.flatMap((include) => ['-isystem', include]);
  const compiled = spawnSync('g++', ['-std=c++17', '-O1', ...flags, '-o', program, file], { encoding: 'utf8' });
  expect(compiled.status, compiled.stderr.slice(0, 4000)).toBe(0);
  return spawnSync(program, { encoding: 'utf8' }).stdout;
}

/** The errors of compiling a file without a main. */
function complaintsAbout(name: string, source: string, includes: readonly string[]): string {
  const file = join(folder, `${name}.cc`);
  writeFileSync(file, source);
  const flags = includes.flatMap((include) => ['-isystem', include]);
  const { stderr, status } = spawnSync('g++', ['-std=c++17', '-fsyntax-only', ...flags, file], { encoding: 'utf8' });
  return status === 0
    ? ''
    : stderr
        .split('\n')
        .filter((line) => line.includes('error'))
        .join('\n');
}

// The emulation's version is one; the headers at hand may be of another.
const isVersion = (name: string): boolean => /VERSION$|_VER_|^CUDNN_(MAJOR|MINOR|PATCHLEVEL)$/.test(name);

/** "name value" for each constant and "name size alignment" for each structure, as our headers have them. */
function valuesOf(header: string, { constants, structures }: Declarations): Map<string, string> {
  const prints = [
    ...constants.map((name) => `std::printf("${name} %lld\\n", static_cast<long long>(${name}));`),
    ...structures.map(({ name }) => `std::printf("${name} %zu, %zu\\n", sizeof(${name}), alignof(${name}));`),
  ];
  const source = `#include <${header}>\n#include <cstdio>\nint main() {\n${prints.join('\n')}\n}\n`;
  const lines = outputOf(`values-${header}`, source, [ours]).split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.replace(/ .*/, ''), line.replace(/^\w+ /, '')]));
}

// Members that toolkits 12 and 13 share; the toolkits' own structures have more.
const hasMore = new Set(['cudaDeviceProp', 'cudaPointerAttributes']);

function assertionsFor({ constants, aliases, functions, structures }: Declarations, values: Map<string, string>) {
  return [
    ...constants
      .filter((name) => !isVersion(name))
      .map((name) => `static_assert(static_cast<long long>(${name}) == ${values.get(name)}, "value of ${name}");`),
    ...aliases.map(({ alias, name }) => `static_assert(std::is_same_v<decltype(&${alias}), decltype(&${name})>);`),
    ...functions.map(
      ({ name, returns, parameters }) =>
        `[[maybe_unused]] ${returns} (*const check_${name})(${parameters}) = &${name};`,
    ),
    ...structures.flatMap(({ name, fields }) =>
      fields.map(
        ({ type, name: field, dimension }) =>
          `static_assert(std::is_same_v<decltype(${name}::${field}), ${type}${dimension}>, "${name}::${field}");`,
      ),
    ),
    ...structures
      .filter(({ name }) => !hasMore.has(name))
      .map(({ name }) => {
        const [size, alignment] = values.get(name)!.split(', ');
        return `static_assert(sizeof(${name}) == ${size} && alignof(${name}) == ${alignment}, "size of ${name}");`;
      }),
  ];
}

// How much of each kind our headers declare at least: constants, functions, structures.
const headers = [
  { file: 'library_types.h', real: 'library_types.h', least: [10, 0, 0] },
  { file: 'vector_types.h', real: 'cuda_runtime.h', least: [0, 0, 11] },
  { file: 'driver_types.h', real: 'cuda_runtime.h', least: [100, 0, 3] },
  { file: 'cuda_runtime_api.h', real: 'cuda_runtime.h', least: [1, 45, 0] },
  { file: 'cublas_v2.h', real: 'cublas_v2.h', least: [30, 15, 0] },
  { file: 'cublasLt.h', real: 'cublasLt.h', least: [25, 14, 5] },
  { file: 'cudnn_types.h', real: 'cudnn.h', least: [100, 0, 0] },
  { file: 'cudnn_attribute_names.h', real: 'cudnn.h', least: [150, 0, 0] },
  { file: 'cudnn.h', real: 'cudnn.h', least: [0, 10, 0] },
] as const;
// What compilers for the GPU know alone, and classes: the conversions below, and the kernels themselves, check them.
const others = ['cuda_runtime.h', 'device_intrinsics.h', 'device_math.h', 'cuda_bf16.h', 'cuda_fp16.h'];

describe('The emulation declares CUDA as NVIDIA does', () => {
  test('no header is left out', () => {
    expect(readdirSync(ours).sort()).toEqual([...headers.map(({ file }) => file), ...others].sort());
  });

  for (const { file, real, least } of headers) {
    const where = folderOf(real);
    const toolkit = folderOf('cuda_runtime.h');
    const missing = !hasCompiler ? 'g++' : where === null ? real : toolkit === null ? 'cuda_runtime.h' : null;
    test.skipIf(missing)(`${file}${missing ? ` (skipped: no ${missing} on this machine)` : ''}`, () => {
      const declared = readDeclarations(readFileSync(join(ours, file), 'utf8'));
      const counts = [declared.constants.length, declared.functions.length, declared.structures.length];
      for (const [kind, count] of counts.entries()) expect(count, `kind ${kind}`).toBeGreaterThanOrEqual(least[kind]!);
      const own = file.startsWith('cudnn_') ? 'cudnn.h' : file;
      const assertions = assertionsFor(declared, valuesOf(own, declared));
      const source = `#include <${real}>\n#include <cstddef>\n#include <cstdint>\n#include <type_traits>\n`;
      const includes = [where!, toolkit!];
      expect(complaintsAbout(`check-${file}`, source + assertions.join('\n'), includes)).toBe('');
      // The check itself: one wrong value shows.
      const wrong = `${source}static_assert(sizeof(int) == 5, "a wrong value");`;
      expect(complaintsAbout(`wrong-${file}`, wrong, includes)).toContain('a wrong value');
    });
  }

  // All values of the upper 24 bits of a float, the lower 8 at random, and what the results are as floats.
  const conversions = `
    #include <cuda_bf16.h>
    #include <cuda_fp16.h>
    #include <cstdint>
    #include <cstdio>
    #include <cstring>
    #include <initializer_list>
    int main() {
      uint64_t sum = 0;
      uint32_t noise = 1;
      for (uint32_t upper = 0; upper < 1u << 24; ++upper) {
        noise = noise * 1664525u + 1013904223u;
        const uint32_t bits = upper << 8 | ((upper & 1) ? noise >> 24 : 0);
        float value;
        std::memcpy(&value, &bits, 4);
        const __nv_bfloat16 bf16 = __float2bfloat16(value);
        const __half half = __float2half(value);
        const float back[2] = {__bfloat162float(bf16), __half2float(half)};
        uint16_t words[2];
        uint32_t backs[2];
        std::memcpy(words, &bf16, 2);
        std::memcpy(words + 1, &half, 2);
        std::memcpy(backs, back, 8);
        for (uint64_t part : {uint64_t{words[0]}, uint64_t{words[1]}, uint64_t{backs[0]}, uint64_t{backs[1]}})
          sum = (sum ^ part) * 1099511628211u;
      }
      std::printf("%016llx\\n", static_cast<unsigned long long>(sum));
    }`;
  const fp16 = folderOf('cuda_fp16.h');
  const missing = !hasCompiler ? 'g++' : fp16 === null ? 'cuda_fp16.h' : null;
  test.skipIf(missing)(`16-bit conversions${missing ? ` (skipped: no ${missing} on this machine)` : ''}`, () => {
    const sum = outputOf('our-conversions', conversions, [ours]);
    expect(sum).toMatch(/^[\da-f]{16}\n$/);
    expect(sum).toBe(outputOf('real-conversions', conversions, [fp16!]));
  });
});
