#include "nngpcheck/empirical/interpreter/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace nngpcheck::empirical {

void prefer_large_pages(void* begin, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(begin) + bytes;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

}  // namespace nngpcheck::empirical
