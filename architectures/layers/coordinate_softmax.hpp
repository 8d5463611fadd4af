// Private to architectures/: softmax of scores that are vectors, in heads of a fixed size.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::architectures {

/// All (key, query) that a mask, keys × queries, has another number than 0 of; those of a query in a row.
struct Pairs {
  std::vector<Eigen::Index> keys, queries;
  std::vector<std::vector<Eigen::Index>> of_query;  // their pairs

  explicit Pairs(const Eigen::MatrixXd& mask);

  Eigen::Index count() const { return std::ssize(keys); }

  /// Pairs × queries: columns of pairs times this are summed for every query.
  netsor::SparseMatrix sum() const;
};

/// exp s_p/Σ exp s over the pairs of the query of p, coordinatewise; `scores` has a column for every pair.
netsor::BundleId softmax(netsor::Builder& builder, netsor::BundleId scores, const Pairs& pairs);

}  // namespace nngpcheck::architectures
