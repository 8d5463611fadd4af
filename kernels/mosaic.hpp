// A kernel put together from rectangles of its entries.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/kernels/kernel.hpp"

namespace nngpcheck::kernels {

/// The entries of a kernel in a rectangle.
struct KernelTile {
  Eigen::Index first_row = 0, first_column = 0;
  Kernel entries;  // labels are the whole's, and not here
  int rank = 0;    // of the method: the whole's is that of the tile of the highest rank
};

class Mosaic {
 public:
  /// `symmetric`: a tile off the diagonal stands for two.
  Mosaic(Eigen::Index rows, Eigen::Index columns, bool symmetric);

  /// A tile that lies in the kernel.
  void add(KernelTile tile);

  /// How many entries no tile had yet.
  Eigen::Index missing() const { return missing_; }

  /// Once all are added; without labels.
  Kernel take() { return std::move(whole_); }

  /// What such a kernel takes with its errors.
  static double bytes(Eigen::Index rows, Eigen::Index columns);

 private:
  void copy(Eigen::MatrixXd& whole, const KernelTile& tile, const Eigen::MatrixXd& part) const;

  Eigen::Index rows_, columns_;
  bool symmetric_;
  Eigen::Index missing_;
  int rank_ = -1;
  Kernel whole_;
};

}  // namespace nngpcheck::kernels
