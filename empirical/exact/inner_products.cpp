#include "nngpcheck/empirical/exact/inner_products.hpp"

#include <algorithm>

namespace nngpcheck::empirical {

Eigen::MatrixXd inner_products(Rows<const double> x, Rows<const double> y, std::size_t inner) {
  constexpr std::size_t block = 512, tile = 16;  // that stay in the inner caches
  const bool symmetric = x.first == y.first && x.stride == y.stride && x.count == y.count;
  Eigen::MatrixXd result =
      Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(x.count), static_cast<Eigen::Index>(y.count));
  for (std::size_t begin = 0; begin < inner; begin += block) {
    const std::size_t size = std::min(block, inner - begin);
    for (std::size_t j = 0; j < y.count; j += tile) {
      const std::size_t i = symmetric ? j : 0;  // the lower half is enough
      simd().multiply({x.row(i) + begin, x.stride, x.count - i},
                      {y.row(j) + begin, y.stride, std::min(tile, y.count - j)}, size,
                      {result.data() + j * x.count + i, x.count, std::min(tile, y.count - j)});
    }
  }
  if (symmetric) result.triangularView<Eigen::StrictlyUpper>() = result.transpose();
  return result;
}

}  // namespace nngpcheck::empirical
