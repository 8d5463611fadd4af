// Memory of matrices, kept for the next of the same size.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// What the steps of one thread's tiles allocate, so that their matrices are mapped once and not once per
/// layer and tile. Values of what is taken are arbitrary.
class Buffers {
 public:
  Eigen::MatrixXd take(Eigen::Index rows, Eigen::Index columns) {
    const auto found = std::find_if(free_.begin(), free_.end(),
                                    [&](const Eigen::MatrixXd& x) { return x.size() == rows * columns; });
    if (found == free_.end()) return Eigen::MatrixXd(rows, columns);
    Eigen::MatrixXd result = std::move(*found);
    free_.erase(found);
    result.resize(rows, columns);
    return result;
  }

  UncertainMatrix take_pair(Eigen::Index rows, Eigen::Index columns) {
    Eigen::MatrixXd value = take(rows, columns);
    return {std::move(value), take(rows, columns)};
  }

  void give(UncertainMatrix&& x) {
    for (Eigen::MatrixXd* matrix : {&x.value, &x.bound}) {
      if (matrix->size() < smallest) continue;
      if (free_.size() == most) free_.erase(free_.begin());  // of tiles of another size
      free_.push_back(std::move(*matrix));
    }
  }

 private:
  static constexpr Eigen::Index smallest = 1 << 14;  // malloc keeps smaller ones itself
  static constexpr std::size_t most = 12;
  std::vector<Eigen::MatrixXd> free_;
};

}  // namespace nngpcheck::analytic
