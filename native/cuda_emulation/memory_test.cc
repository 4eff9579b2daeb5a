// Memory, copies and fills of the emulated device.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "cuda_emulation/test_checks.h"

using namespace residua::cuda_emulation;

TEST(NewMemoryIsNaN, "memory: new memory holds NaN in every element") {
  for (float value : DeviceArray<float>(100).values()) EXPECT(std::isnan(value));
  for (float value : PinnedArray<float>(100).values()) EXPECT(std::isnan(value));
}

TEST(MemoryIsLimited, "memory: RESIDUA_EMULATED_MEMORY limits what can be allocated") {
  const Environment limit("RESIDUA_EMULATED_MEMORY", "1MiB");
  size_t free = 0, total = 0;
  EXPECT_OK(cudaMemGetInfo(&free, &total));
  EXPECT_EQUAL(total, size_t{1} << 20);
  const DeviceArray<char> most(free - 100);
  EXPECT_OK(cudaMemGetInfo(&free, &total));
  EXPECT_EQUAL(free, 100u);
  void* more = &free;
  EXPECT_EQUAL(cudaMalloc(&more, 101), cudaErrorMemoryAllocation);
  EXPECT(more == nullptr);
  EXPECT_EQUAL(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQUAL(cudaGetLastError(), cudaSuccess);
  EXPECT_EQUAL(cudaMalloc(&more, SIZE_MAX), cudaErrorMemoryAllocation);
  EXPECT_OK(cudaMalloc(&more, 100));
  EXPECT_OK(cudaFree(more));
}

TEST(NothingIsNull, "memory: an allocation of nothing is null, and may be freed") {
  void* memory = &memory;
  EXPECT_OK(cudaMalloc(&memory, 0));
  EXPECT(memory == nullptr);
  EXPECT_OK(cudaFree(nullptr));
  EXPECT_OK(cudaFreeHost(nullptr));
}

TEST(WrongFreesFail, "memory: freeing twice, or what is not of the kind, fails") {
  char* memory = nullptr;
  EXPECT_OK(cudaMalloc(&memory, 16));
  EXPECT_EQUAL(cudaFreeHost(memory), cudaErrorInvalidValue);
  EXPECT_EQUAL(cudaFree(memory + 1), cudaErrorInvalidValue);
  EXPECT_OK(cudaFree(memory));
  EXPECT_EQUAL(cudaFree(memory), cudaErrorInvalidValue);
  EXPECT_EQUAL(cudaFree(&memory), cudaErrorInvalidValue);
}

TEST(KindsOfMemory, "memory: cudaPointerGetAttributes tells device, pinned and pageable memory apart") {
  const DeviceArray<char> device(8);
  const PinnedArray<char> pinned(8);
  cudaPointerAttributes attributes;
  EXPECT_OK(cudaPointerGetAttributes(&attributes, device.get() + 7));
  EXPECT_EQUAL(attributes.type, cudaMemoryTypeDevice);
  EXPECT_OK(cudaPointerGetAttributes(&attributes, pinned.get()));
  EXPECT_EQUAL(attributes.type, cudaMemoryTypeHost);
  EXPECT_OK(cudaPointerGetAttributes(&attributes, &attributes));
  EXPECT_EQUAL(attributes.type, cudaMemoryTypeUnregistered);
}

#ifndef __SANITIZE_ADDRESS__  // which reports the write itself
TEST(OverrunsAbort, "memory: writing past an allocation aborts when it is freed") {
  EXPECT_ABORT(
      [] {
        DeviceArray<char> device(100);
        device[103] = 1;
      },
      "wrote 3 bytes past the end of an allocation of 100 bytes");
}
#endif

TEST(PinnedIsReadLate, "copies: pinned memory is read when the stream gets there") {
  const Stream stream;
  const DeviceArray<int> device(1);
  const PinnedArray<int> pinned(std::vector<int>{1});
  EXPECT_OK(cudaMemcpyAsync(device.get(), pinned.get(), 4, cudaMemcpyHostToDevice, stream));
  pinned[0] = 2;
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_EQUAL(device[0], 2);
}

TEST(PageableIsReadAtOnce,
     "copies: pageable memory is read before the call returns, and lands when the stream gets there") {
  const Stream stream;
  const DeviceArray<int> device(std::vector<int>{0});
  int value = 1;
  EXPECT_OK(cudaMemcpyAsync(device.get(), &value, 4, cudaMemcpyHostToDevice, stream));
  value = 2;
  EXPECT_EQUAL(device[0], 0);
  EXPECT_OK(cudaStreamSynchronize(stream));
  EXPECT_EQUAL(device[0], 1);
}

TEST(PageableTargetWaits, "copies: to pageable memory wait, to pinned memory do not") {
  const Stream stream;
  const DeviceArray<int> device(std::vector<int>{0});
  const PinnedArray<int> pinned(std::vector<int>{7});
  int value = 0;
  EXPECT_OK(cudaMemsetAsync(device.get(), 1, 4, stream));
  EXPECT_OK(cudaMemcpyAsync(pinned.get(), device.get(), 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_EQUAL(pinned[0], 7);
  EXPECT_OK(cudaMemcpyAsync(&value, device.get(), 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_EQUAL(value, 0x01010101);
  EXPECT_EQUAL(pinned[0], 0x01010101);
}

TEST(CopiesCheckKinds, "copies: a kind that does not fit the memory, or a range beyond it, is refused") {
  const DeviceArray<char> device(8), other(8);
  const PinnedArray<char> pinned(8);
  const auto copy = [](void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
    return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  };
  EXPECT_EQUAL(copy(device.get(), pinned.get(), 8, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQUAL(copy(device.get(), other.get(), 8, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQUAL(copy(pinned.get(), device.get(), 8, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQUAL(copy(device.get(), pinned.get(), 8, static_cast<cudaMemcpyKind>(7)), cudaErrorInvalidMemcpyDirection);
  EXPECT_EQUAL(copy(device.get() + 1, other.get(), 8, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQUAL(copy(device.get(), pinned.get() + 4, 5, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQUAL(copy(device.get(), nullptr, 8, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQUAL(cudaMemsetAsync(device.get(), 0, 9, nullptr), cudaErrorInvalidValue);
  EXPECT_OK(copy(device.get(), other.get(), 8, cudaMemcpyDefault));
  EXPECT_OK(copy(device.get(), nullptr, 0, cudaMemcpyHostToDevice));
}

TEST(SynchronousCopies, "copies: cudaMemcpy and cudaMemset on the default stream") {
  const DeviceArray<int> device(2);
  const int from[2] = {1, 2};
  int to[2] = {};
  EXPECT_OK(cudaMemcpy(device.get(), from, 8, cudaMemcpyHostToDevice));
  EXPECT_OK(cudaMemcpy(to, device.get(), 8, cudaMemcpyDeviceToHost));
  EXPECT_EQUAL(to[1], 2);
  EXPECT_OK(cudaMemset(device.get(), 0, 8));
  EXPECT_OK(cudaMemcpy(to, device.get(), 8, cudaMemcpyDeviceToHost));
  EXPECT_EQUAL(to[1], 0);
}

TEST(PinnedFreedTooEarly, "copies: pinned memory freed before the copy ran loses the device") {
  cudaStream_t stream = nullptr;
  EXPECT_OK(cudaStreamCreate(&stream));
  const DeviceArray<int> device(1);
  void* pinned = nullptr;
  EXPECT_OK(cudaMallocHost(&pinned, 4));
  EXPECT_OK(cudaMemcpyAsync(device.get(), pinned, 4, cudaMemcpyHostToDevice, stream));
  EXPECT_OK(cudaFreeHost(pinned));
  EXPECT_EQUAL(cudaStreamSynchronize(stream), cudaErrorIllegalAddress);
}

TEST(FreeWaits, "memory: cudaFree waits for the work that is queued") {
  const Stream stream;
  const PinnedArray<int> pinned(std::vector<int>{0});
  void* device = nullptr;
  EXPECT_OK(cudaMalloc(&device, 4));
  EXPECT_OK(cudaMemsetAsync(device, 1, 4, stream));
  EXPECT_OK(cudaMemcpyAsync(pinned.get(), device, 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_OK(cudaFree(device));
  EXPECT_EQUAL(pinned[0], 0x01010101);
}
