// What rounding makes of the kernels of networks.
#pragma once

#include <Eigen/Core>

namespace nngpcheck::compare {

/// Of the networks' arithmetic.
enum class Precision { float64, float32 };

/// Of an entry of a kernel, relative to its scale (see entry_scales).
struct Rounding {
  double spread;  // of an entry that is the same in all networks: a standard error up to this is none
  double error;   // a difference up to this is none
};

Rounding rounding(Precision precision);

/// √(K_aa K_bb), or the largest diagonal entry where that is 0.
Eigen::MatrixXd entry_scales(const Eigen::MatrixXd& kernel);

}  // namespace nngpcheck::compare
