#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

namespace nngpcheck::cli {

/// The order p of rows and columns, other than the given one, in which given(p_a, p_b) = right(a, b) up to
/// half of float32's digits, relative to √(right_aa right_bb); nothing if there is none among those that sort
/// the diagonal. Precondition: both are of one size.
std::optional<std::vector<Eigen::Index>> reordering(const Eigen::MatrixXd& given,
                                                    const Eigen::MatrixXd& right);

}  // namespace nngpcheck::cli
