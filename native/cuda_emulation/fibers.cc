// Switches stacks: by a few instructions on x86-64, by ucontext elsewhere.
#include "cuda_emulation/fibers.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if defined(__x86_64__) && !defined(RESIDUA_FIBERS_UCONTEXT)
#define RESIDUA_FIBERS_X86_64 1
#else
#define RESIDUA_FIBERS_X86_64 0
#include <ucontext.h>
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#if RESIDUA_FIBERS_X86_64
// Saves the registers that a call must keep on the present stack, notes where in *save, and takes up `resume`.
extern "C" __attribute__((visibility("hidden"))) void residua_switch_stack(void** save, void* resume);
asm(R"(
.text
.hidden residua_switch_stack
.globl residua_switch_stack
.type residua_switch_stack, @function
residua_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size residua_switch_stack, . - residua_switch_stack
)");
#endif

namespace residua::cuda_emulation {
namespace {

constexpr size_t kPage = 4096;
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kStack = 256 << 10;  // frames with red zones
#else
constexpr size_t kStack = 64 << 10;
#endif
constexpr size_t kStride = kPage + kStack;

}  // namespace

struct FiberPool::Fiber {
#if RESIDUA_FIBERS_X86_64
  void* stack_pointer = nullptr;
#else
  ucontext_t context;
#endif
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
  bool ended = false;
  // For AddressSanitizer, which must know which stack is in use.
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
  void* fake_stack = nullptr;

  void SwitchTo(Fiber* next) {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(ended ? nullptr : &fake_stack, next->stack_bottom, next->stack_size);
#endif
#if RESIDUA_FIBERS_X86_64
    residua_switch_stack(&stack_pointer, next->stack_pointer);
#else
    swapcontext(&context, &next->context);
#endif
    ArrivedFrom(next);
  }

  // On arrival at this fiber, out of `other` if this fiber left to it.
  void ArrivedFrom(Fiber* other) {
#ifdef __SANITIZE_ADDRESS__
    const void* bottom = nullptr;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    if (other != nullptr) {
      other->stack_bottom = bottom;
      other->stack_size = size;
    }
#else
    (void)other;
#endif
  }
};

FiberPool::FiberPool() : outside_(std::make_unique<Fiber>()) {
  void* memory = mmap(nullptr, kMostFibers * kStride, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("cuda emulation: no address space for the stacks of a block's threads");
    std::abort();
  }
  memory_ = static_cast<char*>(memory);
}

FiberPool::~FiberPool() { munmap(memory_, kMostFibers * kStride); }

char* FiberPool::StackOf(size_t index) const { return memory_ + index * kStride + kPage; }

void FiberPool::Start(size_t index, void (*entry)(void*), void* argument) {
  while (fibers_.size() <= index) {
    char* stack = StackOf(fibers_.size());
    if (mprotect(stack, kStack, PROT_READ | PROT_WRITE) != 0) {
      std::perror("cuda emulation: no memory for the stack of a block's thread");
      std::abort();
    }
    fibers_.push_back(std::make_unique<Fiber>());
    fibers_.back()->stack_bottom = stack;
    fibers_.back()->stack_size = kStack;
  }
  Fiber& fiber = *fibers_[index];
  fiber.entry = entry;
  fiber.argument = argument;
  fiber.ended = false;
  fiber.fake_stack = nullptr;
#if RESIDUA_FIBERS_X86_64
  // As residua_switch_stack leaves a stack: six registers, the address to return to, and one word that makes the stack
  // pointer at Enter what it would be after a call.
  auto** top = reinterpret_cast<void**>(StackOf(index) + kStack);
  top[-1] = nullptr;
  top[-2] = reinterpret_cast<void*>(&FiberPool::Enter);
  for (int saved = 3; saved <= 8; ++saved) top[-saved] = nullptr;
  fiber.stack_pointer = top - 8;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = StackOf(index);
  fiber.context.uc_stack.ss_size = kStack;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, &FiberPool::Enter, 0);
#endif
}

bool FiberPool::Resume(size_t index) {
  running_ = fibers_[index].get();
  outside_->SwitchTo(running_);
  return fibers_[index]->ended;
}

void FiberPool::Yield() { running_->SwitchTo(outside_.get()); }

void FiberPool::Enter() {
  FiberPool& pool = ThreadFibers();
  Fiber* self = pool.running_;
  self->ArrivedFrom(pool.outside_.get());
  self->entry(self->argument);
  self->ended = true;
  pool.Yield();
}

FiberPool& ThreadFibers() {
  static thread_local FiberPool pool;
  return pool;
}

}  // namespace residua::cuda_emulation
