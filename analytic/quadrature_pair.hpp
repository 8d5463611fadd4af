// Quadrature of E[φ(u) ψ(v)] in the shape of a closed form (closed_form.hpp): any pair of activations,
// slowly.
#pragma once

#include "analytic/closed_form.hpp"
#include "analytic/quadrature.hpp"

namespace nngpcheck::analytic {

/// How fast φ(u) changes, in standard units x = (u - mean)/deviation.
struct Roughness {
  double norm = 0;      // √E[φ²]
  double gradient = 0;  // √E[(dφ/dx)²]; where φ jumps, √E[φ²] stands in for its continuous part
  double jump = 0;      // √(Σ jump² · density), 0 if φ is continuous
};

/// By difference quotients of two step sizes: where φ jumps, their mean squares grow as the step shrinks.
Roughness roughness(const netsor::Activation& phi, double mean, double variance);

/// To first order, how far E[f(x)], x = (u - mean)/deviation, can move when the law of u moves within its
/// bounds, f standing for the same function of u:
///   ∂E/∂mean = E[x f(x)] / deviation,   ∂E/∂variance = E[(x² - 1) f(x)] / (2 variance).
double law_shift(const std::function<double(double)>& f, const std::vector<Feature>& features,
                 const Normal& u);

/// E[φ(u)²] with a bound that covers rounding and the uncertainty of the law, as `with_bounds_on_diagonal`.
Estimate square_with_bounds(const netsor::Activation& phi, const Normal& u);

class QuadraturePair {
 public:
  QuadraturePair(const netsor::Activation& phi, const netsor::Activation& psi) : phi_(phi), psi_(psi) {}

  struct Column {
    Normal normal;
    Roughness roughness;
  };

  Column row(const Normal& u) const { return {u, roughness(phi_, u.mean.value, u.variance.value)}; }
  Column column(const Normal& v) const { return {v, roughness(psi_, v.mean.value, v.variance.value)}; }
  Estimate moment(const Column& u, const Column& v, Estimate c) const;

 private:
  netsor::Activation phi_;
  netsor::Activation psi_;
};

}  // namespace nngpcheck::analytic
