#include "nngpcheck/analytic/evaluation/randomizations.hpp"

#include <bit>

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

}  // namespace nngpcheck::analytic
