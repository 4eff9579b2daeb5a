// The counter-based generator Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
// and the distributions drawn from it. A value depends on seed, stream and position alone: not on threads, device or
// order.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace residua {

// Block `index` of the stream: key = seed, counter = {index low, index high, stream low, stream high}.
std::array<uint32_t, 4> Philox(uint64_t seed, uint64_t stream, uint64_t index);

// Even over [low, high), from 24 bits a value.
void FillUniform(float* out, size_t count, uint64_t seed, uint64_t stream, double low, double high);

// Normal, by Box and Muller's transform in double precision.
void FillNormal(float* out, size_t count, uint64_t seed, uint64_t stream, double mean, double std);

// A permutation of 0 .. count - 1 (Fisher-Yates with unbiased indices). count < 2^31.
void FillPermutation(int32_t* out, size_t count, uint64_t seed, uint64_t stream);

}  // namespace residua
