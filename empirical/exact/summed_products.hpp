// Sums of products with Gaussian matrices that are used nowhere else, as one draw.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "nngpcheck/empirical/exact/gram_factor.hpp"
#include "nngpcheck/empirical/random/simd.hpp"
#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::empirical {

/// W X M in one network: W iid N(0, deviation²), given by what the law of the product depends on.
struct SummedProduct {
  double deviation;
  Eigen::Ref<const Eigen::MatrixXd> gram;  // XᵀX
  const Copies& copies;                    // among the columns of X
  const netsor::SparseMatrix& matrix;      // M
};

/// Which columns of length `inner` are equal to the last bit, or 0. `gram` are their inner products, as
/// inner_products gives them.
Copies equal_columns(Rows<const double> x, std::size_t inner, const Eigen::MatrixXd& gram);

/// Given the X_k, the rows of Y = Σ_k W_k X_k M_k are independent and N(0, G) each, with
///
///     G = Σ_k deviation_k² M_kᵀ (X_kᵀX_k) M_k,
///
/// because the W_k are independent of each other and of everything before. So Y = Z C with CᵀC = G and Z iid
/// N(0, 1) has the law of Y: the result is C, for combine_images. Columns of Y that are the same combination
/// of equal columns are equal to the last bit, and those that are a combination of nothing are 0. Nothing if
/// G does not determine the law (see gram_factor): then the products are to be drawn one by one.
std::optional<Eigen::MatrixXd> summed_coordinates(const std::vector<SummedProduct>& products);

}  // namespace nngpcheck::empirical
