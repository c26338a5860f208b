// Counts what a test's thread allocates. In a file of its own: inlined into a test, it would look to the compiler like
// memory freed the wrong way.
#include <cstdlib>
#include <new>

#include "policy/test_support.h"

namespace {

thread_local std::size_t count = 0;

}  // namespace

namespace chancery::policy::testing {

std::size_t allocations() { return count; }

}  // namespace chancery::policy::testing

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc{};
}
// Replaced as well, or a sanitizer's would meet our delete.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
