// An opened GPU: its stream and library handles.
#include "cuda/open_device.h"

#include <dlfcn.h>

#include "core/bytes.h"
#include "cuda/layout.h"
#include "cuda/unavailable.h"

namespace residua::cuda {

namespace {

// The shared object that holds this code.
std::string LibraryFile() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&LibraryFile), &info) == 0 || info.dli_fname == nullptr) return "unknown";
  return info.dli_fname;
}

// cuBLAS takes memory of its own for a captured product, unless it is given some.
constexpr size_t kCublasWorkspace = size_t{4} << 20;

std::string CublasVersion(cublasHandle_t cublas) {
  int version = 0;  // 130101: 13.1.1
  if (cublasGetVersion(cublas, &version) != CUBLAS_STATUS_SUCCESS) return "unknown";
  return CudnnVersionText(static_cast<size_t>(version));
}

}  // namespace

OpenDevice::OpenDevice(int device) {
  context_.options = CudaOptions::FromEnvironment();
  facts_ = ProbeDevice(device);
  context_.device = device;
  context_.multiprocessors = facts_.multiprocessors;
  try {
    Start();
  } catch (const Error& error) {
    throw Unavailable("a GPU on which CUDA, cuDNN and cuBLAS start", error.what(),
                      error.code() == ErrorCode::kOutOfMemory ? "nvidia-smi shows which processes use its memory."
                                                              : "See what nvidia-smi says of it.");
  }
  TryKernel();
}

void OpenDevice::Start() {
  stream_ = MakeStream();
  context_.stream = stream_.get();
  RESIDUA_CUDA(cudnnCreate(cudnn_.address()));
  RESIDUA_CUDA(cudnnSetStream(cudnn_.get(), stream_.get()));
  context_.cudnn = cudnn_.get();
  RESIDUA_CUDA(cublasCreate(cublas_.address()));
  RESIDUA_CUDA(cublasSetStream(cublas_.get(), stream_.get()));
  if (context_.options.cuda_graphs) {
    RESIDUA_CUDA(cudaMalloc(cublas_workspace_.address(), kCublasWorkspace));
    RESIDUA_CUDA(cublasSetWorkspace(cublas_.get(), cublas_workspace_.get(), kCublasWorkspace));
  }
  context_.cublas = cublas_.get();
  RESIDUA_CUDA(cublasLtCreate(cublas_lt_.address()));
  context_.cublas_lt = cublas_lt_.get();
  planner_ = MakeGraphPlanner(context_);
  context_.planner = planner_.get();
}

// A library built for other GPUs shows only when a kernel is launched: launch one, [1, 2, 1, 2] to NHWC.
void OpenDevice::TryKernel() {
  const TensorDesc plain = PlainDesc(DType::kInt32, {1, 2, 1, 2});
  try {
    Owned<void*, cudaFree> memory;
    RESIDUA_CUDA(cudaMalloc(memory.address(), 2 * plain.bytes));
    char* from = static_cast<char*>(memory.get());
    RESIDUA_CUDA(cudaMemsetAsync(from, 0, 2 * plain.bytes, stream_.get()));
    LaunchConvertLayout(context_, plain, from, NhwcLike(plain), from + plain.bytes);
    RESIDUA_CUDA(cudaStreamSynchronize(stream_.get()));
  } catch (const Error& error) {
    throw Unavailable("kernels for compute capability " + std::to_string(facts_.capability_major) + "." +
                          std::to_string(facts_.capability_minor) + " (" + facts_.name + ")",
                      std::string("A first kernel fails: ") + error.what(),
                      "Build the library on this machine: npm run build:native.");
  }
}

std::vector<std::pair<std::string, std::string>> OpenDevice::Describe() const {
  static_cast<void>(cudaSetDevice(context_.device));
  int runtime = 0;
  static_cast<void>(cudaRuntimeGetVersion(&runtime));
  size_t free = 0, total = facts_.memory_total;
  static_cast<void>(cudaMemGetInfo(&free, &total));
  const size_t limit = context_.options.memory_limit;
#ifdef RESIDUA_CUDA_EMULATION
  const char* emulation = "yes";
#else
  const char* emulation = "no";
#endif
  return {
      {"gpu", facts_.name},
      {"computeCapability", std::to_string(facts_.capability_major) + "." + std::to_string(facts_.capability_minor)},
      {"multiprocessors", std::to_string(facts_.multiprocessors)},
      {"driver", "for CUDA " + CudaVersionText(DriverCudaVersion())},
      {"cudaRuntime", CudaVersionText(runtime)},
      {"cuDNN", CudnnVersionText(cudnnGetVersion())},
      {"cuBLAS", CublasVersion(cublas_.get())},
      {"memoryTotal", FormatBytes(total)},
      {"memoryFree", FormatBytes(free)},
      {"memoryLimit", limit == 0 ? "none" : FormatBytes(limit)},
      {"tf32", context_.options.allow_tf32 ? "yes" : "no"},
      {"cudaGraphs", context_.options.cuda_graphs ? "yes" : "no"},
      {"libraryFile", LibraryFile()},
      {"emulation", emulation}};
}

}  // namespace residua::cuda
