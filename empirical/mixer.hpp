// Products of bundles with constant sparse matrices.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "netsor/operation.hpp"

namespace nngpcheck::empirical {

/// Y = X M for bundles of many networks, X and Y of shape [columns, networks, n] and contiguous. Every entry
/// of Y is a fixed sequence of products and sums, in the order of M's rows.
class Mixer {
 public:
  Mixer(netsor::SharedSparse matrix, const at::TensorOptions& options);

  void operator()(const at::Tensor& bundle, const at::Tensor& result) const;

 private:
  // M as layers of at most one entry per column, for devices.
  struct Layer {
    at::Tensor from, to, value;  // row, column and value of each entry
  };

  netsor::SharedSparse matrix_;
  std::vector<Layer> layers_;  // none on the CPU
};

}  // namespace nngpcheck::empirical
