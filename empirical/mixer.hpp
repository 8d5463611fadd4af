// Products of bundles with constant sparse matrices.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "netsor/operation.hpp"

namespace nngpcheck::empirical {

/// X ↦ X M for bundles of many networks, X of shape [columns, networks, n].
///
/// M is kept as layers of at most one entry per column, summed in order: every output entry is a fixed
/// sequence of products and sums.
class Mixer {
 public:
  Mixer(const netsor::SparseMatrix& matrix, const at::TensorOptions& options);

  at::Tensor operator()(const at::Tensor& bundle) const;

 private:
  struct Layer {
    at::Tensor from, to;  // row and column of each entry
    at::Tensor value;     // [entries, 1, 1], undefined if all are 1
  };
  std::int64_t columns_;
  bool first_is_full_;  // the first layer has an entry in every column
  std::vector<Layer> layers_;
};

}  // namespace nngpcheck::empirical
