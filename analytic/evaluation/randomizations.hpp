// Independent randomizations of an estimate, whose scatter is its standard error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

namespace nngpcheck::analytic {

/// Seeds the small randomization that goes before all others: no other's number.
inline constexpr std::uint64_t pilot_number = std::numeric_limits<std::uint64_t>::max();

/// Throws LimitError, of `what`, unless there are at least two randomizations and the number of points, where
/// it is given, is a power of two from `fewest` to the most that the sequence has.
void check_randomizations(const std::string& what, int randomizations, std::optional<std::int64_t> points,
                          std::int64_t fewest);

/// As many as the machine has for 0.
std::size_t threads_asked(int threads);

/// Calls work(0) … work(count - 1) on so many threads. After one of them throws no other begins, and it is
/// thrown again.
void randomize(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

}  // namespace nngpcheck::analytic
