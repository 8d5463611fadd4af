// Products of bundles with constant sparse matrices.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::empirical {

/// Y += c X M for bundles of many networks, X and Y of shape [columns, networks, n] and contiguous. Every
/// entry of Y is a fixed sequence of products and sums, in the order of M's rows.
class Mixer {
 public:
  Mixer(netsor::SharedSparse matrix, const at::TensorOptions& options);

  /// Columns of Y that are not `written` yet count as 0 and need not hold numbers; what is added to them
  /// marks them.
  void add(double c, const at::Tensor& bundle, const at::Tensor& result, std::vector<bool>& written) const;

 private:
  // M as layers of at most one entry per column, for devices.
  struct Layer {
    at::Tensor from, to, value;  // row, column and value of each entry
  };

  netsor::SharedSparse matrix_;
  std::vector<Layer> layers_;  // none on the CPU
};

/// The columns that are not written become 0.
void fill_rest(const at::Tensor& result, const std::vector<bool>& written);

}  // namespace nngpcheck::empirical
