// Coordinates of columns from their inner products.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

namespace nngpcheck::empirical {

/// Which of some columns are copies: of column j, the number of the first that is equal to it, j if it is the
/// first one, or `zero`.
using Copies = std::vector<Eigen::Index>;
inline constexpr Eigen::Index zero = -1;

/// C ∈ R^{r×m} with CᵀC = G for m columns of which r differ and are not 0. C is upper triangular in these;
/// columns that are copies have the coordinates of the first one, to the last bit, and columns that are 0
/// have 0.
///
/// The factor is Cholesky's. A pivot, the square p of a column's distance from the span of those before it,
/// is known to about m ε G_jj only, half the digits of that distance. So where p ≤ `smallest_pivot`·G_jj for
/// a column that is no copy, there is no result: p would be off by more than m ε/smallest_pivot of itself,
/// and that a column depends on others cannot be told from rounding.
std::optional<Eigen::MatrixXd> gram_factor(const Eigen::MatrixXd& gram, const Copies& copies,
                                           double smallest_pivot = 1e-9);

}  // namespace nngpcheck::empirical
