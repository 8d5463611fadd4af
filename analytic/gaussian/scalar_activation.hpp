// Activations as functions of one real variable, in float64, and what the Gaussian integrals use of them.
#pragma once

#include <optional>
#include <vector>

#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::analytic {

/// φ(x).
double evaluate(const netsor::Activation& phi, double x);

/// φ(x) = positive · x₊^power + negative · (−x)₊^power, where z₊ = max(z, 0), and φ(0) = 0.
struct HomogeneousForm {
  double positive = 0;
  double negative = 0;
  int power = 0;
};

/// The form of φ if φ is positively homogeneous, φ(λx) = λ^power φ(x) for λ > 0: identity, relu,
/// leaky_relu_S, abs, step, sign, square, relu_squared, power_P and rectified_power_P.
std::optional<HomogeneousForm> homogeneous_form(const netsor::Activation& phi);

/// Whether the form is a multiple of x^power, power ≥ 1.
bool is_monomial(const HomogeneousForm& form);

/// x^power by repeated multiplication; 1 for power 0.
double integer_power(double x, int power);

}  // namespace nngpcheck::analytic
