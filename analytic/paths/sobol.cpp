#include "nngpcheck/analytic/paths/sobol.hpp"

#include <bit>
#include <boost/math/special_functions/erf.hpp>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <numbers>
#include <random>

namespace nngpcheck::analytic {

namespace {

constexpr int digits = 53;  // binary digits of a coordinate that reach the double

// Output digit i of the scrambled direction is the parity of row i of the matrix and the direction's digits:
// the first digit is the most significant, rows have a unit diagonal and random digits before it.
std::uint64_t multiply(const std::vector<std::uint64_t>& rows, std::uint64_t direction) {
  std::uint64_t result = 0;
  for (int i = 0; i < digits; ++i) {
    const auto parity =
        static_cast<std::uint64_t>(std::popcount(rows[static_cast<std::size_t>(i)] & direction) & 1);
    result |= parity << (63 - i);
  }
  return result;
}

std::vector<std::uint64_t> random_matrix(std::mt19937_64& random) {
  std::vector<std::uint64_t> rows;
  for (int i = 0; i < digits; ++i) {
    const std::uint64_t diagonal = std::uint64_t{1} << (63 - i);
    const std::uint64_t before = i == 0 ? 0 : ~std::uint64_t{0} << (64 - i);
    rows.push_back((random() & before) | diagonal);
  }
  return rows;
}

}  // namespace

// In Gray-code order consecutive points k - 1 and k differ by the direction number of k's lowest set bit, so
// two neighbours at each power of two give all direction numbers. Boost's generator leaves the origin (point
// 0) out.
ScrambledSobol::ScrambledSobol(int dimension, int log2_points, std::uint64_t seed)
    : dimension_(dimension), log2_points_(log2_points), seed_(seed) {
  if (dimension == 0) return;
  const auto d = static_cast<std::size_t>(dimension);
  const auto m = static_cast<std::size_t>(log2_points);
  directions_.resize(d * m);
  boost::random::sobol generator(static_cast<unsigned>(dimension));
  std::vector<std::uint64_t> before(d);
  for (std::size_t k = 0; k < m; ++k) {
    const std::uint64_t point = std::uint64_t{1} << k;
    if (k > 0) {
      generator.seed(point - 2);
      for (std::uint64_t& coordinate : before) coordinate = generator();
    }
    for (std::size_t j = 0; j < d; ++j) directions_[j * m + k] = generator() ^ before[j];
  }
}

Eigen::ArrayXd ScrambledSobol::uniforms(int coordinate, Eigen::Index first, Eigen::Index count) const {
  std::seed_seq sequence{static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32),
                         static_cast<std::uint32_t>(coordinate)};
  std::mt19937_64 random(sequence);
  const std::vector<std::uint64_t> rows = random_matrix(random);
  const auto m = static_cast<std::size_t>(log2_points_);
  std::vector<std::uint64_t> directions(m);
  for (std::size_t k = 0; k < m; ++k) {
    directions[k] = multiply(rows, directions_[static_cast<std::size_t>(coordinate) * m + k]);
  }
  std::uint64_t state = random();  // the digital shift; point k adds the directions of k's Gray code
  const auto start = static_cast<std::uint64_t>(first);
  for (std::size_t k = 0; k < m; ++k) {
    if (((start ^ (start >> 1)) >> k) & 1) state ^= directions[k];
  }
  Eigen::ArrayXd result(count);
  for (Eigen::Index k = 0; k < count; ++k) {
    result[k] = (static_cast<double>(state >> (64 - digits)) + 0.5) * 0x1p-53;
    const auto next = start + static_cast<std::uint64_t>(k) + 1;
    if (k + 1 < count) state ^= directions[static_cast<std::size_t>(std::countr_zero(next))];
  }
  return result;
}

Eigen::ArrayXd ScrambledSobol::normals(int coordinate, Eigen::Index first, Eigen::Index count) const {
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  return uniforms(coordinate, first, count).unaryExpr([](double u) {
    return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * u, Policy());
  });
}

}  // namespace nngpcheck::analytic
