// Shapes of programs that some rule recognises.
#pragma once

#include <optional>
#include <vector>

#include "nngpcheck/analytic/columns/structure.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

namespace nngpcheck::analytic {

/// φ(X) with X Gaussian: rules 2 and 3. A Gaussian bundle itself counts, without φ.
struct DualPattern {
  const netsor::Activation* activation;  // null: the identity
  NodeIndex argument;                    // X
};
std::optional<DualPattern> dual_pattern(const Structure& structure, NodeIndex node);

/// X if the instruction is the diagonal of gram(X, X): second moments are enough for it.
std::optional<NodeIndex> gram_diagonal(const Structure& structure, const netsor::Apply& operation);

/// φ(standardize(X)) with X Gaussian and φ positively homogeneous (the identity if there is no φ).
struct BatchNormPattern {
  NodeIndex argument;  // X
  HomogeneousForm form;
  const netsor::Standardize* standardize;

  /// The columns of one group, ascending.
  std::vector<netsor::Index> members(int group) const;
  int groups() const;
};

/// The bundle in this form, if rule 4 covers it: the mean of X is the same for all columns of a group.
std::optional<BatchNormPattern> batch_norm_pattern(const Structure& structure, NodeIndex node);

}  // namespace nngpcheck::analytic
