// Kernels of the emulation: launches, indices, barriers, shuffles, shared memory, atomics, and the mistakes it finds.
#include <atomic>
#include <thread>

#include "cuda/launch.h"
#include "cuda_emulation/test_checks.h"

using namespace residua::cuda_emulation;

namespace {

constexpr unsigned kWholeWarp = 0xffffffffu;

__global__ void WriteIndexKernel(int* out) {
  const int block = static_cast<int>(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z));
  const int thread = static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
  out[block * 24 + thread] = block * 1000 + thread;
}

__global__ void AddKernel(int* out, int amount) { out[threadIdx.x] += amount; }

__global__ void CountKernel(int* count, float* sum, int* most, unsigned* bits) {
  atomicAdd(count, 1);
  atomicAdd(sum, 0.5f);
  atomicMax(most, static_cast<int>(threadIdx.x));
  atomicOr(bits, 1u << (threadIdx.x & 31));
  if (threadIdx.x == 0 && blockIdx.x == 0) {
    atomicExch(count + 1, 7);
    atomicCAS(count + 1, 7, 9);
    atomicCAS(count + 1, 7, 11);
  }
}

// Sums each block's elements through static shared memory.
__global__ void BlockSumKernel(const int* in, int* out) {
  RESIDUA_SHARED int parts[64];
  const int thread = static_cast<int>(threadIdx.x);
  parts[thread] = in[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  for (int distance = 32; distance > 0; distance /= 2) {
    if (thread < distance) parts[thread] += parts[thread + distance];
    __syncthreads();
  }
  if (thread == 0) out[blockIdx.x] = parts[0];
}

// Reverses a block's elements through dynamic shared memory; first says whether that held NaN.
__global__ void ReverseKernel(const float* in, float* out, int* was_nan) {
  RESIDUA_DYNAMIC_SHARED(float, buffer);
  was_nan[threadIdx.x] = isnan(buffer[threadIdx.x]);
  buffer[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = buffer[blockDim.x - 1 - threadIdx.x];
}

// Each lane's results of the warp functions, 8 a lane.
__global__ void WarpKernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  int* mine = out + threadIdx.x * 8;
  mine[0] = __shfl_sync(kWholeWarp, lane * 10, 5);
  mine[1] = __shfl_xor_sync(kWholeWarp, lane, 3);
  mine[2] = __shfl_down_sync(kWholeWarp, lane, 4);
  mine[3] = __shfl_up_sync(kWholeWarp, lane, 4);
  mine[4] = static_cast<int>(__ballot_sync(kWholeWarp, lane % 2));
  mine[5] = __shfl_sync(kWholeWarp, lane, 1, 8);  // of each eight
  mine[6] = __any_sync(kWholeWarp, lane == 31) + 2 * __all_sync(kWholeWarp, lane < 31);
  __syncwarp();
  mine[7] = static_cast<int>(__shfl_down_sync(kWholeWarp, 0.5 * lane, 1, 16) * 2);
}

// The status with which a launch fails; 0 if it does not.
int LaunchStatus(const std::function<void()>& launch) {
  try {
    launch();
  } catch (const CallFailure& failure) {
    return failure.status;
  }
  return 0;
}

}  // namespace

TEST(IndicesOfThreads, "kernels: every thread of every block runs once, with its indices in three dimensions") {
  const Stream stream;
  const DeviceArray<int> out(12 * 24);
  for (bool cooperative : {false, true}) {
    EXPECT_OK(cudaMemsetAsync(out.get(), 0, out.bytes(), stream));
    if (cooperative) {
      RESIDUA_LAUNCH_COOPERATIVE(WriteIndexKernel, dim3(2, 3, 2), dim3(4, 3, 2), 0, stream, out.get());
    } else {
      RESIDUA_LAUNCH(WriteIndexKernel, dim3(2, 3, 2), dim3(4, 3, 2), stream, out.get());
    }
    EXPECT_OK(cudaStreamSynchronize(stream));
    for (int i = 0; i < 12 * 24; ++i) EXPECT_EQUAL(out[static_cast<size_t>(i)], i / 24 * 1000 + i % 24);
  }
}

TEST(ArgumentsAreCopied, "kernels: arguments are copied at the launch, the kernel runs when the stream gets there") {
  const Stream stream;
  const DeviceArray<int> out(std::vector<int>{10});
  int amount = 5;
  RESIDUA_LAUNCH(AddKernel, 1, 1, stream, out.get(), amount);
  amount = 100;
  EXPECT_EQUAL(out[0], 10);
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_EQUAL(out[0], 15);
}

TEST(KernelsInGraphs, "kernels: run again on each launch of a graph") {
  const Stream stream;
  const DeviceArray<int> out(std::vector<int>{0});
  EXPECT_OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  RESIDUA_LAUNCH(AddKernel, 1, 1, stream, out.get(), 3);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  EXPECT_OK(cudaStreamEndCapture(stream, &graph));
  EXPECT_OK(cudaGraphInstantiate(&exec, graph));
  for (int i = 0; i < 4; ++i) EXPECT_OK(cudaGraphLaunch(exec, stream));
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_EQUAL(out[0], 12);
  EXPECT_OK(cudaGraphExecDestroy(exec));
  EXPECT_OK(cudaGraphDestroy(graph));
}

TEST(Atomics, "kernels: atomics add, compare and exchange") {
  const DeviceArray<int> count(std::vector<int>{0, 0}), most(std::vector<int>{0});
  const DeviceArray<float> sum(std::vector<float>{0});
  const DeviceArray<unsigned> bits(std::vector<unsigned>{0});
  RESIDUA_LAUNCH(CountKernel, 3, 64, nullptr, count.get(), sum.get(), most.get(), bits.get());
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT_EQUAL(count[0], 192);
  EXPECT_EQUAL(count[1], 9);
  EXPECT_EQUAL(sum[0], 96.0f);
  EXPECT_EQUAL(most[0], 63);
  EXPECT_EQUAL(bits[0], 0xffffffffu);
}

TEST(BarriersAndSharedMemory, "kernels: a block's threads meet at barriers and share memory") {
  std::vector<int> values(5 * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i);
  const DeviceArray<int> in(values), out(5);
  RESIDUA_LAUNCH_COOPERATIVE(BlockSumKernel, 5, 64, 0, nullptr, in.get(), out.get());
  EXPECT_OK(cudaDeviceSynchronize());
  for (int block = 0; block < 5; ++block) {
    EXPECT_EQUAL(out[static_cast<size_t>(block)], 64 * 64 * block + 64 * 63 / 2);
  }
}

TEST(DynamicSharedMemory, "kernels: dynamic shared memory is as large as asked for, and NaN at first") {
  const DeviceArray<float> in(std::vector<float>(1024, 2.0f)), out(1024);
  const DeviceArray<int> was_nan(1024);
  in[1] = 3;
  RESIDUA_LAUNCH_COOPERATIVE(ReverseKernel, 2, 1024, 4096, nullptr, in.get(), out.get(), was_nan.get());
  EXPECT_OK(cudaDeviceSynchronize());
  EXPECT_EQUAL(out[1022], 3.0f);
  EXPECT_EQUAL(out[0], 2.0f);
  for (int flag : was_nan.values()) EXPECT_EQUAL(flag, 1);
}

TEST(WarpFunctions, "kernels: shuffles and votes, in two warps of a block") {
  const DeviceArray<int> out(64 * 8);
  RESIDUA_LAUNCH_COOPERATIVE(WarpKernel, 1, 64, 0, nullptr, out.get());
  EXPECT_OK(cudaDeviceSynchronize());
  for (int thread = 0; thread < 64; ++thread) {
    const int lane = thread % 32;
    const int* mine = out.get() + thread * 8;
    EXPECT_EQUAL(mine[0], 50);
    EXPECT_EQUAL(mine[1], lane ^ 3);
    EXPECT_EQUAL(mine[2], lane + 4 < 32 ? lane + 4 : lane);
    EXPECT_EQUAL(mine[3], lane >= 4 ? lane - 4 : lane);
    EXPECT_EQUAL(mine[4], static_cast<int>(0xaaaaaaaau));
    EXPECT_EQUAL(mine[5], lane / 8 * 8 + 1);
    EXPECT_EQUAL(mine[6], 1);
    EXPECT_EQUAL(mine[7], lane % 16 == 15 ? lane : lane + 1);
  }
}

TEST(ThreadsOfTheHost, "kernels: cooperative kernels on several threads of the host at once keep their memory apart") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&wrong, t] {
      const Stream stream;
      const DeviceArray<int> in(std::vector<int>(64 * 20, t + 1)), out(20);
      for (int round = 0; round < 20; ++round) {
        RESIDUA_LAUNCH_COOPERATIVE(BlockSumKernel, 20, 64, 0, stream, in.get(), out.get());
        wrong += cudaStreamSynchronize(stream) != cudaSuccess;
        for (int sum : out.values()) wrong += sum != 64 * (t + 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQUAL(wrong.load(), 0);
}

TEST(SharedMemoryLimits, "kernels: 48 KiB of dynamic shared memory; up to 227 KiB after cudaFuncSetAttribute") {
  const DeviceArray<float> in(32), out(32);
  const DeviceArray<int> was_nan(32);
  const auto launch = [&](int bytes) {
    return LaunchStatus(
        [&] { RESIDUA_LAUNCH_COOPERATIVE(ReverseKernel, 1, 32, bytes, nullptr, in.get(), out.get(), was_nan.get()); });
  };
  const auto allow = [](int bytes) {
    return cudaFuncSetAttribute(ReverseKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  };
  EXPECT_EQUAL(launch(48 * 1024), 0);
  EXPECT_EQUAL(launch(48 * 1024 + 1), cudaErrorInvalidValue);
  EXPECT_OK(allow(227 * 1024));
  EXPECT_EQUAL(launch(227 * 1024), 0);
  EXPECT_EQUAL(allow(227 * 1024 + 1), cudaErrorInvalidValue);
  EXPECT_OK(allow(48 * 1024));
}
