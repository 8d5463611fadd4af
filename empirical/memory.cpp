#include "empirical/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

namespace nngpcheck::empirical {

namespace {

// 0 if the file has no such number.
double number_after(const char* file, const std::string& key) {
  std::ifstream stream(file);
  for (std::string word; stream >> word;) {
    double number = 0;
    if (word == key && stream >> number) return number;
  }
  return 0;
}

double number_in(const char* file) {
  double number = 0;
  std::ifstream(file) >> number;
  return number;
}

}  // namespace

double available_memory() {
  double result = 1024 * number_after("/proc/meminfo", "MemAvailable:");
  if (result == 0)
    result = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (const double most = number_in("/sys/fs/cgroup/memory.max"); most > 0)
    result = std::min(result, most - number_in("/sys/fs/cgroup/memory.current"));
  return result;
}

void prefer_large_pages(void* begin, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(begin) + bytes;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

}  // namespace nngpcheck::empirical
