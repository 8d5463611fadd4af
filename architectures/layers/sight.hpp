// Private to architectures/: who sees whom in attention.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/architectures/layers/attention.hpp"
#include "nngpcheck/architectures/sites.hpp"

namespace nngpcheck::architectures {

/// Which key (row) a query (column) sees, 1 or 0, and what is added to its score.
struct Sight {
  Eigen::MatrixXd mask, added;
};

/// Of masks, tables and distances (see SelfAttention); keys of other samples are not seen. Throws
/// ArchitectureError for what does not fit the sites.
Sight sight(const SelfAttention& layer, const Sites& queries, const Sites& keys);

/// Throws ArchitectureError if the layer compares positions and the sites have none in a row.
void check_order(const SelfAttention& layer, const Sites& sites);

/// Throws ArchitectureError, with the key, if the layer compares positions, of two sequences here.
void refuse_order(const SelfAttention& layer);

}  // namespace nngpcheck::architectures
