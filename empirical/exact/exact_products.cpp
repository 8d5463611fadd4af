#include "nngpcheck/empirical/exact/exact_products.hpp"

#include <algorithm>

namespace nngpcheck::empirical {

namespace {

// Rows of images that are drawn and combined while they are in the cache; a multiple of all vector lengths.
std::size_t row_block(std::int64_t rank) {
  constexpr std::int64_t numbers = 1 << 13;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(numbers / (rank + 1), 64, 2048)) / 64 * 64;
}

// Columns of C that are combined together, and how many of its rows are not all 0 there: fewer in the first
// columns of a triangular matrix.
constexpr std::size_t columns_at_once = 8;

std::vector<std::size_t> heights(const Eigen::MatrixXd& c) {
  std::vector<std::size_t> result;
  for (Eigen::Index first = 0; first < c.cols(); first += columns_at_once) {
    const auto part = c.middleCols(first, std::min<Eigen::Index>(columns_at_once, c.cols() - first));
    Eigen::Index height = c.rows();
    while (height > 0 && (part.row(height - 1).array() == 0).all()) --height;
    result.push_back(static_cast<std::size_t>(height));
  }
  return result;
}

}  // namespace

void combine_images(const GaussianMatrix& w, std::int64_t drawn, const Eigen::MatrixXd& c, Rows<double> y) {
  const auto rank = static_cast<std::size_t>(c.rows());
  const auto rows = static_cast<std::size_t>(w.rows);
  const std::size_t block = std::min(row_block(c.rows()), rows);
  const std::vector<std::size_t> heights = empirical::heights(c);
  std::vector<double> here(w.images ? 0 : rank * block);
  for (std::size_t begin = 0; begin < rows; begin += block) {
    const std::size_t size = std::min(block, rows - begin);
    const Rows<double> images =
        w.images ? Rows<double>{w.images + begin, rows, rank} : Rows<double>{here.data(), block, rank};
    for (std::size_t k = w.images ? static_cast<std::size_t>(drawn) : 0; k < rank; ++k)
      w.stream.fill(k * rows + begin, {images.row(k), size}, 0, w.deviation);
    const Rows<double> part{y.first + begin, y.stride, y.count};
    for (std::size_t j = 0; j < y.count; ++j) std::fill_n(part.row(j), size, 0.0);
    for (std::size_t first = 0, tile = 0; first < y.count; first += columns_at_once, ++tile) {
      const std::size_t count = std::min(columns_at_once, y.count - first);
      simd().combine({c.data() + first * rank, rank, count}, {images.first, images.stride, heights[tile]},
                     size, {part.row(first), part.stride, count});
    }
  }
}

ExactProducts::ExactProducts(const Arguments& arguments, double* basis, std::vector<GaussianMatrix> weights)
    : arguments_(arguments),
      basis_(basis, arguments.dimension, arguments.uses, arguments.rules),
      weights_(std::move(weights)),
      drawn_(weights_.size(), 0),
      formed_(weights_.size(), false) {}

const std::optional<Eigen::MatrixXd>& ExactProducts::coordinates(std::size_t argument, Rows<const double> x) {
  const auto known = coordinates_.find(argument);
  if (known != coordinates_.end()) return known->second;
  auto& result = coordinates_[argument];
  if (basis_.rank() < arguments_.switch_rank) result = basis_.of(x);
  return result;
}

void ExactProducts::apply(std::size_t weight, std::size_t argument, Rows<const double> x, Rows<double> y) {
  const GaussianMatrix& w = weights_[weight];
  if (const std::optional<Eigen::MatrixXd>& c = coordinates(argument, x)) {
    combine_images(w, drawn_[weight], *c, y);
    drawn_[weight] = std::max<std::int64_t>(drawn_[weight], c->rows());
    return;
  }
  if (!formed_[weight]) form_matrix(weight);
  const auto columns = static_cast<std::size_t>(arguments_.dimension);
  for (std::size_t j = 0; j < y.count; ++j) std::fill_n(y.row(j), w.rows, 0.0);
  simd().multiply({w.matrix, columns, static_cast<std::size_t>(w.rows)}, x, columns, y);
}

void ExactProducts::form_matrix(std::size_t weight) {
  const GaussianMatrix& w = weights_[weight];
  const Rows<const double> q = basis_.basis();
  const auto rows = static_cast<std::size_t>(w.rows),
             columns = static_cast<std::size_t>(arguments_.dimension);
  for (auto k = static_cast<std::size_t>(drawn_[weight]); k < q.count; ++k)
    w.stream.fill(k * rows, {w.images + k * rows, rows}, 0, w.deviation);
  const std::size_t images = std::min(static_cast<std::size_t>(arguments_.uses), columns);
  const std::size_t first = (images * rows + columns - 1) / columns * columns;
  std::vector<double> correction(q.count);
  for (std::size_t i = 0; i < rows; ++i) {
    double* z = w.matrix + i * columns;
    w.stream.fill(first + i * columns, {z, columns}, 0, w.deviation);
    std::fill(correction.begin(), correction.end(), 0.0);
    simd().multiply(q, {z, columns, 1}, columns, {correction.data(), q.count, 1});
    for (std::size_t k = 0; k < q.count; ++k) correction[k] = w.images[k * rows + i] - correction[k];
    simd().combine({correction.data(), q.count, 1}, q, columns, {z, columns, 1});
  }
  formed_[weight] = true;
}

}  // namespace nngpcheck::empirical
