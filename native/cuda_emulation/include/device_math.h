// Arithmetic that CUDA C++ adds to <math.h>. The fast approximations are the exact functions here.
#pragma once
#include <math.h>

#include <cstring>

namespace residua::cuda_emulation {

template <class To, class From>
To BitCast(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

}  // namespace residua::cuda_emulation

// CUDA declares these for every pair of arithmetic types; one type a call is what kernels need.
#define RESIDUA_MIN_MAX(T)                         \
  inline T min(T a, T b) { return a < b ? a : b; } \
  inline T max(T a, T b) { return a > b ? a : b; }
RESIDUA_MIN_MAX(int)
RESIDUA_MIN_MAX(unsigned int)
RESIDUA_MIN_MAX(long)
RESIDUA_MIN_MAX(unsigned long)
RESIDUA_MIN_MAX(long long)
RESIDUA_MIN_MAX(unsigned long long)
#undef RESIDUA_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }  // NaN gives 0

// Operations that the compiler may not contract, rounding to nearest even.
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }

inline int __float_as_int(float x) { return residua::cuda_emulation::BitCast<int>(x); }
inline unsigned __float_as_uint(float x) { return residua::cuda_emulation::BitCast<unsigned>(x); }
inline float __int_as_float(int x) { return residua::cuda_emulation::BitCast<float>(x); }
inline float __uint_as_float(unsigned x) { return residua::cuda_emulation::BitCast<float>(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline unsigned __umulhi(unsigned x, unsigned y) {
  return static_cast<unsigned>((static_cast<unsigned long long>(x) * y) >> 32);
}
