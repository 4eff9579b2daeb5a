// The frame of the emulation's own tests: tests register themselves, emulation_test.cc runs them.
#pragma once
#include <algorithm>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_runtime.h"

namespace residua::cuda_emulation {

struct TestFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What cuda/check.h throws in these tests.
struct CallFailure : std::runtime_error {
  CallFailure(int failed_with, const std::string& message) : std::runtime_error(message), status(failed_with) {}
  int status;
};

struct Test {
  const char* name;
  void (*body)();
};
std::vector<Test>& Tests();

struct RegisterTest {
  RegisterTest(const char* name, void (*body)()) { Tests().push_back({name, body}); }
};

// TEST(Words, "what is expected") { ... }
#define TEST(Identifier, sentence)                                                                     \
  static void Identifier();                                                                            \
  static const ::residua::cuda_emulation::RegisterTest register_##Identifier(sentence, &(Identifier)); \
  static void Identifier()

[[noreturn]] void Fail(const char* file, int line, const std::string& message);

template <class A, class B>
void ExpectEqual(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (actual == expected) return;
  std::ostringstream message;
  message << text << " is " << actual << ", expected " << expected;
  Fail(file, line, message.str());
}

#define EXPECT(condition) \
  ((condition) ? void() : ::residua::cuda_emulation::Fail(__FILE__, __LINE__, #condition " does not hold"))
#define EXPECT_EQUAL(actual, expected) \
  ::residua::cuda_emulation::ExpectEqual((actual), (expected), #actual, __FILE__, __LINE__)
#define EXPECT_OK(call) EXPECT_EQUAL(call, 0)

// Runs `body` in a child process, which must abort with `message` on its standard error.
void ExpectAbort(const std::function<void()>& body, const std::string& message, const char* file, int line);
#define EXPECT_ABORT(body, message) ::residua::cuda_emulation::ExpectAbort((body), (message), __FILE__, __LINE__)

// Sets an environment variable, and unsets it at the end of the scope.
class Environment {
 public:
  Environment(const char* name, const std::string& value);
  ~Environment();

 private:
  const char* name_;
};

class Stream {
 public:
  explicit Stream(unsigned flags = cudaStreamNonBlocking);
  ~Stream();
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  explicit Event(unsigned flags = cudaEventDisableTiming);
  ~Event();
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

// Memory of the device or pinned memory.
template <class T, bool kPinned>
class Array {
 public:
  explicit Array(size_t count) : count_(count) {
    void** address = reinterpret_cast<void**>(&data_);
    const cudaError_t status =
        kPinned ? ::cudaMallocHost(address, count * sizeof(T)) : ::cudaMalloc(address, count * sizeof(T));
    if (status != cudaSuccess) throw TestFailure("no memory for a test");
  }
  explicit Array(const std::vector<T>& values) : Array(values.size()) {
    std::copy(values.begin(), values.end(), data_);  // the emulated device's memory is the host's
  }
  ~Array() { (void)(kPinned ? cudaFreeHost(data_) : cudaFree(data_)); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* get() const { return data_; }
  size_t bytes() const { return count_ * sizeof(T); }
  // What is there now, whatever is queued.
  T& operator[](size_t i) const { return data_[i]; }
  std::vector<T> values() const { return std::vector<T>(data_, data_ + count_); }

 private:
  T* data_ = nullptr;
  size_t count_;
};
template <class T>
using DeviceArray = Array<T, false>;
template <class T>
using PinnedArray = Array<T, true>;

}  // namespace residua::cuda_emulation
