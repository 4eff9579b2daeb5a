// Mistakes in kernels and launches, and how the emulation answers them.
#include "cuda/launch.h"
#include "cuda_emulation/test_checks.h"

using namespace residua::cuda_emulation;

namespace {

constexpr unsigned kWholeWarp = 0xffffffffu;

__global__ void AddOneKernel(int* out) { out[threadIdx.x] += 1; }
__global__ void ShuffleKernel(int* out) { out[threadIdx.x] = __shfl_sync(kWholeWarp, 1, 0); }
__global__ void BarrierKernel(int* out) {
  __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void EarlyExitKernel(int* out) {
  if (threadIdx.x == 3) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void TwoBarriersKernel(int* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}
__global__ void HalfWarpShuffleKernel(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1, 1);
}
__global__ void TwoShufflesKernel(int* out) {
  if (threadIdx.x < 16) {
    out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1, 1);
  } else {
    out[threadIdx.x] = __shfl_xor_sync(kWholeWarp, 1, 2);
  }
}
__global__ void PartMaskKernel(int* out) { out[threadIdx.x] = __shfl_xor_sync(0xffffu, 1, 1); }
__global__ void SharedOverrunKernel(int* out) {
  RESIDUA_DYNAMIC_SHARED(int, buffer);
  buffer[threadIdx.x + 1] = 1;
  __syncthreads();
  out[threadIdx.x] = buffer[threadIdx.x];
}
__global__ void NothingKernel(const int*) {}
__global__ void TakesFloatsKernel(const float*) {}

// The status with which a launch fails; 0 if it does not.
int LaunchStatus(const std::function<void()>& launch) {
  try {
    launch();
  } catch (const CallFailure& failure) {
    return failure.status;
  }
  return 0;
}

// Launches a cooperative kernel of one block that must abort.
#define EXPECT_KERNEL_ABORT(kernel, threads, shared_bytes, message)                       \
  EXPECT_ABORT(                                                                           \
      [] {                                                                                \
        const DeviceArray<int> out(1024);                                                 \
        RESIDUA_LAUNCH_COOPERATIVE(kernel, 1, threads, shared_bytes, nullptr, out.get()); \
        (void)cudaDeviceSynchronize();                                                    \
      },                                                                                  \
      message)

}  // namespace

TEST(WrongKernelsAbort, "kernels: barriers and shuffles that part of the block does not reach abort") {
  EXPECT_KERNEL_ABORT(EarlyExitKernel, 64, 0, "1 have ended, 63 wait at the barrier");
  EXPECT_KERNEL_ABORT(TwoBarriersKernel, 64, 0, "wait at different barriers");
  EXPECT_KERNEL_ABORT(HalfWarpShuffleKernel, 32, 0, "16 have ended");
  EXPECT_KERNEL_ABORT(TwoShufflesKernel, 32, 0, "lanes of a warp are at different shuffles");
  EXPECT_KERNEL_ABORT(PartMaskKernel, 32, 0, "not the whole warp");
  EXPECT_KERNEL_ABORT(ShuffleKernel, 40, 0, "in a warp of 8 threads");
  EXPECT_KERNEL_ABORT(SharedOverrunKernel, 32, 128, "wrote past its 128 bytes of dynamic shared memory");
}

TEST(PlainKernelsAbort, "kernels: a barrier in a kernel that was not launched as cooperative aborts") {
  EXPECT_ABORT(
      [] {
        const DeviceArray<int> out(1024);
        RESIDUA_LAUNCH(BarrierKernel, 1, 32, nullptr, out.get());
        (void)cudaDeviceSynchronize();
      },
      "was not launched with RESIDUA_LAUNCH_COOPERATIVE");
}

TEST(ImpossibleLaunches, "kernels: impossible launches are refused, and what follows is not harmed") {
  const DeviceArray<int> out(std::vector<int>(64, 0));
  const auto launch = [&](dim3 blocks, dim3 threads) {
    return LaunchStatus([&] { RESIDUA_LAUNCH(AddOneKernel, blocks, threads, nullptr, out.get()); });
  };
  EXPECT_EQUAL(launch(0, 32), cudaErrorInvalidConfiguration);
  EXPECT_EQUAL(launch(static_cast<unsigned>(-1), 32), cudaErrorInvalidConfiguration);
  EXPECT_EQUAL(launch(1, 0), cudaErrorInvalidConfiguration);
  EXPECT_EQUAL(launch(1, 1025), cudaErrorInvalidConfiguration);
  EXPECT_EQUAL(launch(1, dim3(1, 1, 65)), cudaErrorInvalidConfiguration);
  EXPECT_EQUAL(launch(dim3(1, 65536), 1), cudaErrorInvalidConfiguration);
  EXPECT_EQUAL(launch(1, 64), 0);
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT_EQUAL(out[63], 1);
}

TEST(HostPointersLoseTheDevice,
     "kernels: a pointer to the host's memory loses the device; null and pinned memory do not") {
  const PinnedArray<int> pinned(4);
  RESIDUA_LAUNCH(NothingKernel, 1, 1, nullptr, nullptr);
  RESIDUA_LAUNCH(NothingKernel, 1, 1, nullptr, pinned.get());
  EXPECT_OK(cudaDeviceSynchronize());
  const int value = 0;
  RESIDUA_LAUNCH(NothingKernel, 1, 1, nullptr, &value);
  EXPECT_EQUAL(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  EXPECT_EQUAL(LaunchStatus([&] { RESIDUA_LAUNCH(NothingKernel, 1, 1, nullptr, nullptr); }), cudaErrorIllegalAddress);
}

TEST(MisalignedPointersLoseTheDevice, "kernels: a pointer that is not aligned for its type loses the device") {
  const DeviceArray<char> bytes(64);
  RESIDUA_LAUNCH(TakesFloatsKernel, 1, 1, nullptr, reinterpret_cast<const float*>(bytes.get() + 2));
  EXPECT_EQUAL(cudaDeviceSynchronize(), cudaErrorMisalignedAddress);
}
