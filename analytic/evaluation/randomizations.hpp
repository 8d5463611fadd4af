// Independent randomizations of an estimate, whose scatter is its standard error.
#pragma once

#include <cstdint>
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

}  // namespace nngpcheck::analytic
