// The inner expectation of quadrature over pairs.
#pragma once

#include <cstdint>

#include "nngpcheck/analytic/gaussian/profile.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// E[ψ(m + s z)], z ~ N(0, 1), at many m and s: by formula where one is accurate; by the trapezoidal rule,
/// which converges exponentially, where ψ is smooth within reach of m; by panels everywhere else.
class ConditionalMean {
 public:
  explicit ConditionalMean(const Profile& psi);

  Estimate operator()(double m, double s);

  /// Evaluations of ψ so far, a formula counting as one.
  const std::int64_t& work() const { return work_; }

 private:
  bool has_kink_between(double low, double high) const;
  bool by_trapezoid(double m, double s, Estimate& result);
  Estimate by_panels(double m, double s);

  const Profile& psi_;
  std::vector<double> kinks_;  // as arguments of ψ
  std::int64_t work_ = 0;
};

}  // namespace nngpcheck::analytic
