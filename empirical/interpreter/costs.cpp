#include "nngpcheck/empirical/interpreter/costs.hpp"

#include <algorithm>

namespace nngpcheck::empirical {

double dense_cost(std::int64_t rows, const ExactProducts::Arguments& of) {
  return area(rows, of.dimension) * (normal_cost + static_cast<double>(of.uses));
}

double images_cost(std::int64_t rows, const ExactProducts::Arguments& of, double of_normal) {
  const double rank = static_cast<double>(std::min(of.uses, of.dimension));
  return static_cast<double>(rows) * rank * (of_normal + static_cast<double>(of.uses) / 2);
}

double basis_cost(const ExactProducts::Arguments& of) {
  const double rank = static_cast<double>(std::min(of.uses, of.dimension));
  const double uses = static_cast<double>(of.uses);
  if (of.once && of.uses < of.dimension)
    return static_cast<double>(of.dimension) * uses * uses / 2 + coordinates_cost * uses * uses * uses;
  return 3 * static_cast<double>(of.dimension) * uses * rank;
}

}  // namespace nngpcheck::empirical
