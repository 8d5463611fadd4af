// Every closed form against quadrature, at random laws: two ways that share no formula of the pair.
#include "nngpcheck/analytic/gaussian/closed_form.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/quadrature_pair.hpp"

namespace nngpcheck::analytic {
namespace {

using netsor::Activation;

const std::vector<std::string> names = {"identity",
                                        "relu",
                                        "leaky_relu_0.1",
                                        "leaky_relu_-2.5",
                                        "abs",
                                        "step",
                                        "sign",
                                        "square",
                                        "power_3",
                                        "power_4",
                                        "rectified_power_3",
                                        "rectified_power_4",
                                        "relu_squared",
                                        "erf",
                                        "erf_sigmoid",
                                        "gelu",
                                        "sin",
                                        "cos",
                                        "gaussian"};

BivariateNormal random_law(std::mt19937_64& engine, bool with_means, int trial) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(-1, 1);
  const double a = std::exp(1.5 * normal(engine));
  const double b = std::exp(1.5 * normal(engine));
  double rho = uniform(engine);
  if (trial % 3 == 0) rho = std::copysign(1 - std::exp(-15 * std::abs(rho)), rho);
  if (trial < 2) rho = trial == 0 ? 1 : -1;
  const double c = rho * std::sqrt(a) * std::sqrt(b);
  return with_means ? BivariateNormal{a, b, c, normal(engine), normal(engine)} : BivariateNormal{a, b, c};
}

TEST(ClosedForm, EqualsQuadratureAtRandomLaws) {
  std::mt19937_64 engine(3);
  int pairs = 0;
  for (const std::string& left : names) {
    for (const std::string& right : names) {
      const Activation phi = Activation::named(left);
      const Activation psi = Activation::named(right);
      for (const Means means : {Means::zero, Means::any}) {
        const std::optional<ClosedForm> form = closed_form(phi, psi, means);
        if (!form) continue;
        ++pairs;
        for (int trial = 0; trial < 12; ++trial) {
          const BivariateNormal law = random_law(engine, means == Means::any, trial);
          const Normal u{{law.mean_u, 0}, {law.variance_u, 0}};
          const Normal v{{law.mean_v, 0}, {law.variance_v, 0}};
          const auto moment = [&](const auto& f) {
            return f.moment(f.row(u), f.column(v), {law.covariance, 0});
          };
          const Estimate closed = with_bounds(std::visit(moment, *form), u, v, 0);
          const Estimate integrated = quadrature_dual(phi, psi, law);
          EXPECT_LE(std::abs(closed.value - integrated.value), closed.bound + integrated.bound)
              << left << " " << right << " at " << law.variance_u << " " << law.variance_v << " "
              << law.covariance;
        }
      }
    }
  }
  EXPECT_GE(pairs, 150);
}

TEST(ClosedForm, ReluKeepsItsAccuracyAtOppositeInputs) {
  // E ~ t³/6π for ρ = -cos t, t → 0: against the series in t with two more terms
  for (const double gap : {1e-3, 1e-6, 1e-12}) {
    const double rho = -1 + gap;
    const double exact_gap = 1 + rho;  // what the double says
    const double sine = std::sqrt(exact_gap * (2 - exact_gap));
    const double t = std::asin(sine);
    const double expected =
        t * t * t / (6 * std::numbers::pi) * (1 - t * t / 10 + t * t * t * t / 280 - std::pow(t, 6) / 15120);
    const Estimate result = dual(Activation::named("relu"), Activation::named("relu"), {1, 1, rho});
    EXPECT_NEAR(result.value / expected, 1, 1e-13) << gap;
  }
}

}  // namespace
}  // namespace nngpcheck::analytic
