// How the moments of batch_norm.hpp change with the covariances.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

namespace nngpcheck::analytic {

/// The derivative of E[φ(ŷ_i) ψ(ẑ_j)] in the joint covariance J of the columns: row j·rows + i, column l·n +
/// k for the n×n matrix J's entry (k, l); to be applied to symmetric changes, and to no others. The rows are
/// the first columns of J; the columns of the moment are the same ones, or the others.
///
/// At each node of the Laplace integral, of tilt T, with J centred, P = (I + JT)^{-1} and G = PJ:
///   d log |I + JT|^{-1/2} = -½ tr(TP dJ),   dG = P dJ Pᵀ.
/// Two columns in a group without ε give ±1 and do not respond. Throws LimitError if a group has no variance.
struct BatchNormLaw {
  Eigen::MatrixXd covariance;  // J
  Eigen::Index rows = 0;
  bool one_group = true;  // then all columns of J are rows
  double epsilon_rows = 0;
  double epsilon_columns = 0;  // unused for one group
};
Eigen::MatrixXd batch_norm_slopes(const HomogeneousForm& phi, const HomogeneousForm& psi,
                                  const BatchNormLaw& law);

}  // namespace nngpcheck::analytic
