#include "nngpcheck/analytic/evaluation/randomizations.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/paths/sobol.hpp"

namespace nngpcheck::analytic {

void check_randomizations(const std::string& what, int randomizations, std::optional<std::int64_t> points,
                          std::int64_t fewest) {
  if (randomizations < 2) {
    throw LimitError(what + ": randomizations = " + std::to_string(randomizations) +
                     "; the standard error needs at least 2");
  }
  constexpr int most = ScrambledSobol::largest_log2_points;
  if (points && (*points < fewest || !std::has_single_bit(static_cast<std::uint64_t>(*points)) ||
                 *points > (std::int64_t{1} << most))) {
    throw LimitError(what + ": points = " + std::to_string(*points) + "; give a power of two up to 2^" +
                     std::to_string(most));
  }
}

std::size_t threads_asked(int threads) {
  return threads > 0 ? static_cast<std::size_t>(threads) : std::max(1U, std::thread::hardware_concurrency());
}

void randomize(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto take = [&] {
    for (std::size_t r = next++; r < count; r = next++) {
      try {
        work(r);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> workers;
  for (std::size_t t = 1; t < std::min(threads, count); ++t) workers.emplace_back(take);
  take();
  for (std::thread& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace nngpcheck::analytic
