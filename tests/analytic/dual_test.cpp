// dual and mean against tables of 25-digit numbers from mpmath (tests/data/generate_dual_kernels.py).
#include "nngpcheck/analytic/gaussian/dual.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

namespace nngpcheck::analytic {
namespace {

using netsor::Activation;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

nlohmann::json read_rows(const std::string& name) {
  std::ifstream file(std::string(NNGPCHECK_TEST_DATA) + "/" + name);
  return nlohmann::json::parse(file).at("rows");
}

/// √(E[φ(u)²] E[ψ(v)²]), the size against which errors are measured.
double magnitude(const Activation& phi, const Activation& psi, const BivariateNormal& law) {
  const double a = law.variance_u;
  const double b = law.variance_v;
  return std::sqrt(dual(phi, phi, {a, a, a, law.mean_u, law.mean_u}).value *
                   dual(psi, psi, {b, b, b, law.mean_v, law.mean_v}).value);
}

BivariateNormal swapped(const BivariateNormal& law) {
  return {law.variance_v, law.variance_u, law.covariance, law.mean_v, law.mean_u};
}

/// The value to 1e-12 (1e-15 absolutely where it is tiny), the bound an upper bound and useful, symmetry.
void expect_row(const Activation& phi, const Activation& psi, const BivariateNormal& law, double truth) {
  const Estimate result = dual(phi, psi, law);
  const double size = magnitude(phi, psi, law);
  const double error = std::abs(result.value - truth);
  const double representation = 0.5 * std::numeric_limits<double>::epsilon() * std::abs(truth);
  EXPECT_LE(error, result.bound + representation);
  EXPECT_LE(error, std::max(1e-12 * std::abs(truth), 1e-15));
  EXPECT_LE(result.bound, 1e-12 * size + 1e-15);
  const Estimate mirrored = dual(psi, phi, swapped(law));
  EXPECT_LE(std::abs(mirrored.value - result.value), mirrored.bound + result.bound);
}

TEST(Dual, EqualsTheReferenceTable) {
  const nlohmann::json rows = read_rows("dual_kernels.json");
  ASSERT_EQ(rows.size(), 133u);
  for (const nlohmann::json& row : rows) {
    SCOPED_TRACE(row.dump());
    const Activation phi = Activation::named(row.at("activation").get<std::string>());
    expect_row(phi, phi, {row.at("a"), row.at("b"), row.at("c")}, row.at("value"));
  }
}

TEST(Dual, EqualsTheExtraTable) {
  const nlohmann::json rows = read_rows("dual_kernels_extra.json");
  ASSERT_EQ(rows.size(), 721u);
  for (const nlohmann::json& row : rows) {
    SCOPED_TRACE(row.dump());
    expect_row(Activation::named(row.at("phi").get<std::string>()),
               Activation::named(row.at("psi").get<std::string>()),
               {row.at("a"), row.at("b"), row.at("c"), row.at("mean_u"), row.at("mean_v")}, row.at("value"));
  }
}

/// Rigorous values at random laws (tests/data/search_expectations.py); bench/expectations takes more of them.
TEST(Dual, BoundsCoverTheErrorAtRandomLaws) {
  const nlohmann::json rows = read_rows("expectations.json");
  ASSERT_GE(rows.size(), 300u);
  for (const nlohmann::json& row : rows) {
    SCOPED_TRACE(row.dump());
    const auto activation = [&](const char* side) {
      const std::string name = row.at(side);
      const bool is_name =
          name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.0123456789") == std::string::npos;
      return is_name ? Activation::named(name) : Activation::from_expression(name);
    };
    const Activation phi = activation("phi");
    const double m = row.at("mean_u");
    const double a = row.at("variance_u");
    Estimate result;
    if (row.at("kind") == "mean") {
      result = mean(phi, m, a);
    } else if (row.at("kind") == "square") {
      result = dual(phi, phi, {a, a, a, m, m});
    } else {
      result =
          dual(phi, activation("psi"), {a, row.at("variance_v"), row.at("covariance"), m, row.at("mean_v")});
    }
    const double truth = row.at("value");
    const double representation = 0.5 * std::numeric_limits<double>::epsilon() * std::abs(truth);
    EXPECT_LE(std::abs(result.value - truth), result.bound + representation);
  }
}

TEST(Dual, TheTwoTablesAgree) {
  int overlap = 0;
  const nlohmann::json extra = read_rows("dual_kernels_extra.json");
  for (const nlohmann::json& row : read_rows("dual_kernels.json")) {
    for (const nlohmann::json& other : extra) {
      if (other.at("phi") != row.at("activation") || other.at("psi") != row.at("activation") ||
          other.at("a") != row.at("a") || other.at("b") != row.at("b") || other.at("c") != row.at("c") ||
          other.at("mean_u") != 0 || other.at("mean_v") != 0) {
        continue;
      }
      ++overlap;
      const double value = row.at("value");
      EXPECT_NEAR(value, other.at("value").get<double>(), 1e-15 * std::abs(value) + 1e-20) << row;
    }
  }
  EXPECT_GE(overlap, 100);
}

TEST(Dual, TakesPointValuesAtZeroVariance) {
  const Activation step = Activation::named("step");
  EXPECT_EQ(dual(step, step, {0, 0, 0, 0, 0}).value, 0);
  EXPECT_EQ(dual(step, step, {0, 0, 0, 1, 1}).value, 1);
  EXPECT_NEAR(dual(step, step, {0, 1, 0, 1, 0}).value, 0.5, 1e-15);
  EXPECT_EQ(dual(Activation::named("sign"), step, {0, 1, 0}).value, 0);
  EXPECT_NEAR(dual(Activation::named("cos"), Activation::named("cos"), {0, 1, 0}).value, std::exp(-0.5),
              1e-15);
}

TEST(Dual, CoversHugeAndTinyVariances) {
  for (const double variance : {1e4, 1e8, 1e12}) {
    // E[φ(u)φ(v)] tends to that of sign as the variance grows, with corrections of relative order 1/variance
    for (const char* name : {"tanh", "erf", "hardtanh"}) {
      const Activation phi = Activation::named(name);
      const Estimate result = dual(phi, phi, {variance, variance, 0.5 * variance});
      EXPECT_NEAR(result.value, 1.0 / 3, 4 / variance) << name;
      EXPECT_LE(result.bound, 1e-12) << name;
    }
    const Activation softplus = Activation::named("softplus");
    const Estimate result = dual(softplus, softplus, {variance, variance, 0.5 * variance});
    EXPECT_NEAR(result.value / variance, 0.30449889052211468, 4 / variance + 1e-13);
  }
  for (const double variance : {1e-20, 1e-200}) {
    for (const char* name : {"tanh", "erf", "hardtanh", "elu", "sin", "identity"}) {
      const Activation phi = Activation::named(name);
      EXPECT_NEAR(dual(phi, phi, {variance, variance, 0.5 * variance}).value / variance,
                  name == std::string("erf") ? 2 / std::numbers::pi : 0.5, 1e-9)
          << name;
    }
  }
}

TEST(Dual, RejectsWhatIsNoLaw) {
  const Activation relu = Activation::named("relu");
  const Activation tanh = Activation::named("tanh");
  for (const Activation& phi : {relu, tanh}) {
    EXPECT_THROW(dual(phi, phi, {-1, 1, 0}), LimitError);
    EXPECT_THROW(dual(phi, phi, {1, 1, 1.001}), LimitError);
    EXPECT_THROW(dual(phi, phi, {1, 1, -1 - 1e-9}), LimitError);
    EXPECT_THROW(dual(phi, phi, {0, 1, 1e-3}), LimitError);
    EXPECT_THROW(dual(phi, phi, {nan, 1, 0}), LimitError);
    EXPECT_THROW(dual(phi, phi, {1, 1, nan}), LimitError);
    EXPECT_THROW(dual(phi, phi, {1, 1, 0, nan, 0}), LimitError);
    EXPECT_THROW(dual(phi, phi, {infinity, 1, 0}), LimitError);
  }
  try {
    dual(relu, relu, {1, 1, 1.5});
    FAIL();
  } catch (const LimitError& error) {
    EXPECT_NE(std::string(error.what()).find("1.5"), std::string::npos) << error.what();
  }
}

TEST(Dual, RejectsOverflow) {
  const Activation exp = Activation::named("exp");
  EXPECT_THROW(dual(exp, exp, {1e4, 1e4, 5e3}), LimitError);
  EXPECT_THROW(mean(exp, 0, 1e4), LimitError);
  EXPECT_NEAR(dual(exp, Activation::named("sigmoid"), {100, 1, 0}).value / std::exp(50.0), 0.5, 1e-13);
  const Activation steep = Activation::custom("steep", [](double x) { return std::exp(x * x); });
  EXPECT_THROW(dual(steep, steep, {1, 1, 0.5}), LimitError);
}

TEST(Dual, TreatsRoundingBeyondOneAsOne) {
  for (const char* name : {"relu", "tanh", "step", "gelu", "erf", "elu"}) {
    const Activation phi = Activation::named(name);
    const Estimate at = dual(phi, phi, {1, 1, 1});
    const Estimate beyond = dual(phi, phi, {1, 1, 1 + 1e-12});
    EXPECT_LE(std::abs(at.value - beyond.value), beyond.bound) << name;
  }
}

TEST(Dual, CustomFunctionsAgreeWithBuiltInOnes) {
  for (const char* name : {"relu", "step", "hardtanh", "elu", "tanh", "gelu"}) {
    const Activation phi = Activation::named(name);
    const Activation copy = Activation::custom(
        std::string("my ") + name, [phi](double x) { return evaluate(phi, x); },
        phi.breakpoints(-40, 40).points);
    for (const BivariateNormal& law :
         {BivariateNormal{1, 1, 0.5}, {1, 1, -0.999}, {1, 1, 1}, {4, 0.25, 0.9, 0.3, -0.7}}) {
      const Estimate expected = dual(phi, phi, law);
      const Estimate result = dual(copy, copy, law);
      EXPECT_LE(std::abs(result.value - expected.value), result.bound + expected.bound) << name;
      EXPECT_LE(result.bound, 1e-9) << name << " at covariance " << law.covariance;
    }
  }
}

TEST(Dual, TheBoundIsHonestWhenAKinkIsNotDeclared) {
  // kinks at irrational places, where no panel ends by luck
  const auto ramp = [](double x) { return std::max(x - std::numbers::phi / 3, 0.0); };
  const auto jump = [](double x) { return x > -std::numbers::phi / 7 ? 1.0 : 0.0; };
  const Activation declared[] = {Activation::custom("ramp declared", ramp, {std::numbers::phi / 3}),
                                 Activation::custom("jump declared", jump, {-std::numbers::phi / 7})};
  const Activation silent[] = {Activation::custom("ramp", ramp), Activation::custom("jump", jump)};
  for (int i = 0; i < 2; ++i) {
    for (const double c : {0.5, 0.99, 1.0, -0.7}) {
      const Estimate expected = dual(declared[i], declared[i], {1, 1, c});
      const Estimate result = dual(silent[i], silent[i], {1, 1, c});
      EXPECT_LE(expected.bound, 1e-12);
      EXPECT_LE(std::abs(result.value - expected.value), result.bound + expected.bound) << i << " " << c;
      EXPECT_LE(result.bound, 1e-6);
    }
  }
}

TEST(Dual, KinksOfExpressionsAreFoundAsIfDeclared) {
  const std::vector<double> halves = {-7.5, -6.5, -5.5, -4.5, -3.5, -2.5, -1.5, -0.5,
                                      0.5,  1.5,  2.5,  3.5,  4.5,  5.5,  6.5,  7.5};
  const std::pair<const char*, std::vector<double>> functions[] = {
      {"x*min(max(x + 3, 0), 6)/6", {-3, 3}},
      {"abs(x - 1) - abs(x - 1.001)", {1, 1.001}},
      {"rint(clip(x, -8, 8))", halves},
  };
  for (const auto& [text, kinks] : functions) {
    const Activation found = Activation::from_expression(text);
    const Activation declared = Activation::from_expression(text, "declared", kinks);
    const Activation silent = Activation::custom("silent", found.expression());
    for (const double c : {0.5, -0.99, 1.0}) {
      const Estimate expected = dual(declared, declared, {1, 1, c});
      const Estimate result = dual(found, found, {1, 1, c});
      EXPECT_LE(std::abs(result.value - expected.value), result.bound + expected.bound) << text << " " << c;
      EXPECT_LE(result.bound, 1e-12) << text << " " << c;
    }
    EXPECT_GT(dual(silent, silent, {1, 1, 0.5}).bound, dual(found, found, {1, 1, 0.5}).bound) << text;
  }
}

TEST(Mean, EqualsTheDualWithAConstant) {
  // E[φ(u)] = E[φ(u) step(v)] for v = 1 almost surely; independent of the formulas where φ is custom
  for (const char* name : {"identity", "relu",        "leaky_relu_0.1", "abs",     "step",
                           "sign",     "square",      "relu_squared",   "power_3", "rectified_power_3",
                           "erf",      "erf_sigmoid", "sigmoid",        "tanh",    "hardtanh",
                           "gelu",     "silu",        "softplus",       "elu",     "sin",
                           "cos",      "exp",         "gaussian"}) {
    const Activation phi = Activation::named(name);
    const Activation copy = Activation::custom(
        "copy", [phi](double x) { return evaluate(phi, x); }, phi.breakpoints(-40, 40).points);
    for (const double centre : {0.0, 0.7, -2.0}) {
      for (const double variance : {0.0, 1e-8, 0.25, 1.0, 30.0}) {
        const Estimate result = mean(phi, centre, variance);
        const Estimate expected = mean(copy, centre, variance);
        EXPECT_LE(std::abs(result.value - expected.value), result.bound + expected.bound)
            << name << " mean " << centre << " variance " << variance;
        EXPECT_LE(result.bound,
                  1e-13 * (1 + std::abs(centre) +
                           std::sqrt(dual(phi, phi, {variance, variance, variance, centre, centre}).value)));
      }
    }
  }
}

}  // namespace
}  // namespace nngpcheck::analytic
