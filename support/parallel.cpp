#include "nngpcheck/support/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nngpcheck::support {

std::size_t threads_asked(int threads) {
  return threads > 0 ? static_cast<std::size_t>(threads) : std::max(1U, std::thread::hardware_concurrency());
}

void in_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::size_t failed = count;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto take = [&] {
    for (std::size_t k = next++; k < count; k = next++) {
      try {
        work(k);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (k < failed) failure = std::current_exception();
        failed = std::min(failed, k);
        next = count;
      }
    }
  };
  std::vector<std::jthread> workers;
  for (std::size_t t = 1; t < std::min(threads, count); ++t) workers.emplace_back(take);
  take();
  workers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace nngpcheck::support
