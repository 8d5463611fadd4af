// An activation at one marginal, as quadrature sees it.
#pragma once

#include <vector>

#include "nngpcheck/analytic/gaussian/quadrature.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

namespace nngpcheck::analytic {

/// φ(mean + deviation x) as a function of x, deviation > 0.
class Profile {
 public:
  Profile(const netsor::Activation& phi, double mean, double deviation);

  double operator()(double x) const { return evaluate(phi_, mean_ + deviation_ * x); }

  const netsor::Activation& phi() const { return phi_; }
  double mean() const { return mean_; }
  double deviation() const { return deviation_; }

  /// Kinks and jumps within the range of a normal variable, ascending. Of a function that does not say where
  /// it has them, those that sampling finds.
  const std::vector<double>& kinks() const { return kinks_; }
  /// Whether there are no others for sure. If not, all error bounds of integrals are estimates.
  bool kinks_are_complete() const { return complete_; }
  /// The kinks, and the region where φ changes.
  const std::vector<Feature>& features() const { return features_; }

  QuadratureOptions options() const;

 private:
  netsor::Activation phi_;
  double mean_, deviation_;
  std::vector<double> kinks_;
  bool complete_;
  std::vector<Feature> features_;
};

/// E[φ(u)], E[φ(u)²] by quadrature.
Integral quadrature_mean(const Profile& phi);
Integral quadrature_square(const Profile& phi);

/// How fast φ(u) changes, in standard units x = (u - mean)/deviation.
struct Roughness {
  double norm = 0;      // √E[φ²]
  double gradient = 0;  // √E[(dφ/dx)²] without the jumps
  double jump = 0;      // √(Σ jump² · density), 0 if φ is continuous
};

Roughness roughness(const Profile& phi);

}  // namespace nngpcheck::analytic
