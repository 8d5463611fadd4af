// Every closed form against quadrature, at random laws: two ways that share no formula of the pair.
#include "nngpcheck/analytic/gaussian/closed_form.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/moment_columns.hpp"
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

// E[φ(x)φ(±x)] = (1 + s²)/2 and -s for φ(x) = x₊ - s (-x)₊.
TEST(HomogeneousPair, EndsWhereColumnsAreEqualOrOpposite) {
  for (const auto& [name, slope] :
       {std::pair("relu", 0.), {"abs", -1.}, {"leaky_relu_0.1", 0.1}, {"leaky_relu_-2.5", -2.5}}) {
    const Activation phi = Activation::named(name);
    const Estimate equal = dual(phi, phi, {1, 1, 1}), opposite = dual(phi, phi, {1, 1, -1});
    EXPECT_LE(std::abs(equal.value - (1 + slope * slope) / 2), equal.bound) << name;
    EXPECT_LE(std::abs(opposite.value + slope), opposite.bound) << name;
    EXPECT_LE(std::max(equal.bound, opposite.bound), 100 * epsilon * (1 + slope * slope)) << name;
    const double wrong = slope + 0.01;
    EXPECT_GT(std::abs(equal.value - (1 + wrong * wrong) / 2), equal.bound) << name;
    EXPECT_GT(std::abs(opposite.value + wrong), opposite.bound) << name;
  }
}

TEST(Arctangent, IsGoodToTwoEpsilon) {
  std::mt19937_64 engine(5);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(-1, 1);
  const auto check = [](double y, double x) {
    const long double exact = std::atan2(static_cast<long double>(y), static_cast<long double>(x));
    EXPECT_LE(std::abs(static_cast<long double>(arctangent(y, x)) - exact), 2 * epsilon * std::abs(exact))
        << y << " " << x;
  };
  for (int trial = 0; trial < 200000; ++trial) {
    check(normal(engine), normal(engine));
    check(std::exp(40 * uniform(engine)) * uniform(engine), normal(engine));
  }
  for (const double x : {-1., 1.}) {
    for (const double y : {0., 1e-300, 1e-17, 0.41421356237309503, 0.4142135623730951, 1., 1e17}) check(y, x);
  }
  for (const double y : {-1., 1.}) check(y, 0);
}

TEST(Determinant, IsGoodWhereItCancels) {
  std::mt19937_64 engine(6);
  std::uniform_real_distribution<double> uniform(1, 4);
  for (int trial = 0; trial < 100000; ++trial) {
    const double a = uniform(engine), b = uniform(engine), c = std::sqrt(a * b) * (1 - 1e-15 * (trial % 7));
    const long double exact = static_cast<long double>(a) * b - static_cast<long double>(c) * c;
    // a product of two doubles has 106 bits, a long double 64
    EXPECT_LE(std::abs(determinant(a, b, c) - exact), 4e-19 * a * b + 2 * epsilon * std::abs(exact));
  }
}

// By vector instructions, of whatever width, as one by one.
TEST(MomentColumns, AreTheMomentsToTheBit) {
  std::mt19937_64 engine(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<Normal> rows;
  for (int i = 0; i < 37; ++i) rows.push_back({{}, {std::exp(3 * uniform(engine)), 1e-14 * (i % 3)}});
  const Normal v{{}, {0.7, 1e-15}};
  std::vector<double> c, c_bound, value(rows.size()), bound(rows.size());
  for (const Normal& u : rows) {
    const double rho = c.size() == 5 ? 1 : c.size() == 6 ? -1 : uniform(engine);
    c.push_back(rho * std::sqrt(u.variance.value) * std::sqrt(v.variance.value));
    c_bound.push_back(1e-15 * static_cast<double>(c.size() % 4));
  }
  for (const char* name : {"relu", "abs", "leaky_relu_0.3", "erf", "erf_sigmoid", "gelu"}) {
    const Activation phi = Activation::named(name);
    const auto compare = [&](const auto& form) {
      using Form = std::remove_cvref_t<decltype(form)>;
      if constexpr (has_moment_columns<Form>) {
        if (!form.is_branch_free()) return false;
        MomentColumns<Form>(form, rows)
            .evaluate(v, 0, std::ssize(rows), c.data(), c_bound.data(), value.data(), bound.data());
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const Moment moment = form.moment(form.row(rows[i]), form.column(v), {c[i], c_bound[i]});
          const Estimate one = with_bounds(moment, rows[i], v, c_bound[i]);
          EXPECT_EQ(value[i], one.value) << name << " " << i;
          EXPECT_EQ(bound[i], one.bound) << name << " " << i;
        }
        return true;
      }
      return false;
    };
    const bool compared = std::visit(compare, *closed_form(phi, phi, Means::zero));
    EXPECT_TRUE(compared) << name;
  }
}

}  // namespace
}  // namespace nngpcheck::analytic
