// Quadrature of E[φ(u) ψ(v)] in the shape of a closed form (closed_form.hpp): any pair of activations, any
// law, slowly.
#pragma once

#include "nngpcheck/analytic/gaussian/closed_form.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/profile.hpp"

namespace nngpcheck::analytic {

/// To first order, how far E[f(x)], x = (u - mean)/deviation, can move when the law of u moves within its
/// bounds, f standing for the same function of u:
///   ∂E/∂mean = E[x f(x)] / deviation,   ∂E/∂variance = E[(x² - 1) f(x)] / (2 variance).
double law_shift(const Function& f, const std::vector<Feature>& features, const Normal& u);

/// E[φ(u)²] with a bound that covers rounding and the uncertainty of the law, as `with_bounds_on_diagonal`.
Estimate square_with_bounds(const netsor::Activation& phi, const Normal& u);

/// E[φ(u) ψ(v)] at this correlation, as the integral over u of φ(u) E[ψ(v) | u] (conditional_mean.hpp). Never
/// uses the closed form of the pair, so the closed forms can be checked against it. Takes the correlation and
/// the arguments' standard forms as exact. Where the work limit ends it early, `converged` is false.
Integral quadrature_dual(const Profile& phi, const Profile& psi, const Correlation& correlation);

/// The same for a valid law, rounding of its parameters included.
Estimate quadrature_dual(const netsor::Activation& phi, const netsor::Activation& psi,
                         const BivariateNormal& law);

class QuadraturePair {
 public:
  QuadraturePair(const netsor::Activation& phi, const netsor::Activation& psi) : phi_(phi), psi_(psi) {}

  struct Column {
    Normal normal;
    Profile profile;
    Roughness roughness;
  };

  Column row(const Normal& u) const { return prepare(phi_, u); }
  Column column(const Normal& v) const { return prepare(psi_, v); }

  /// Throws LimitError, naming activations, variances and the cure, if the work limit leaves no useful
  /// number.
  Estimate moment(const Column& u, const Column& v, Estimate c) const;

  /// Evaluations that the last moment took.
  std::int64_t work() const { return work_; }

 private:
  static Column prepare(const netsor::Activation& phi, const Normal& normal);

  netsor::Activation phi_;
  netsor::Activation psi_;
  mutable std::int64_t work_ = 0;
};

}  // namespace nngpcheck::analytic
