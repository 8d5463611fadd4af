#pragma once

#include <optional>
#include <vector>

#include "analytic/scalar_activation.hpp"
#include "analytic/structure.hpp"

namespace nngpcheck::analytic {

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
