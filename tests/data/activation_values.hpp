// Named activations at 25 hard places each, by mpmath (generate_activation_values.py).
#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace nngpcheck::testing {

struct ActivationValue {
  std::string name;
  double x, value;

  /// 1e-12 of the value. Where the definition cancels, x − tanh x near 0 and the sine far out, also the
  /// rounding of x.
  double tolerance() const {
    const bool cancels = name == "tanhshrink" || name.starts_with("rbf");
    return 1e-12 * std::abs(value) + (cancels ? 1e-15 * (1 + std::abs(x)) : 0) + 1e-300;
  }
};

inline const std::vector<ActivationValue>& activation_values() {
  static const std::vector<ActivationValue> result = {
#include "tests/data/activation_values.inc"
  };
  return result;
}

}  // namespace nngpcheck::testing
