// RESIDUA_SIMD before a free function: it is compiled for several instruction sets, and the loader picks the one this
// machine has. Everything it calls must be inlined (RESIDUA_INLINE). Floating-point contraction must be off
// (-ffp-contract=off): otherwise only some of the versions would fuse multiplications with additions, and results would
// depend on the machine.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define RESIDUA_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RESIDUA_SIMD  // resolvers run before a sanitizer is ready; other compilers and processors use their baseline
#endif

#define RESIDUA_INLINE inline __attribute__((always_inline))

// Before a loop that writes element i after reading element i of its operands, and no other: the result may lie where
// an operand does.
#if defined(__clang__)
#define RESIDUA_IN_PLACE_LOOP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define RESIDUA_IN_PLACE_LOOP _Pragma("GCC ivdep")
#else
#define RESIDUA_IN_PLACE_LOOP
#endif
