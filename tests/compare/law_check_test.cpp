// The check of fluctuations: how often it is wrong, on numbers that follow the law exactly, and on networks.
#include "nngpcheck/compare/verdict/law_check.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <random>
#include <utility>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using netsor::Activation;
using netsor::BundleId;

constexpr double false_alarm = 1e-6;  // of a test below

/// Two inputs; Σ of the entries 00, 10, 11.
analytic::FiniteWidthLaw some_law() {
  analytic::FiniteWidthLaw law;
  law.kernel = MatrixXd{{1, 0.3}, {0.3, 2}};
  const VectorXd weights{{1, std::sqrt(2), 1}};  // Frobenius
  MatrixXd vectors{{2, 1, 2}, {-2, 2, 1}, {1, 2, -2}};
  vectors /= 3;
  law.eigenvalues = VectorXd{{5, 2, 0.5}};
  law.c = {7.5, 0};
  law.factor = weights.cwiseInverse().asDiagonal() * vectors * law.eigenvalues.cwiseSqrt().asDiagonal();
  return law;
}

/// Kernels that follow it, `scale` times as far from K.
DrawLadders following(const analytic::FiniteWidthLaw& law, std::uint64_t seed, double scale = 1) {
  return [&law, random = std::mt19937_64(seed), scale](const LadderRequest& request) mutable {
    std::normal_distribution<double> normal;
    Ladders result{request.widths, {}};
    for (const std::int64_t width : request.widths) {
      MatrixXd kernels(request.count, 3);
      for (Eigen::Index k = 0; k < request.count; ++k) {
        const VectorXd z = VectorXd::NullaryExpr(3, [&] { return normal(random); });
        // The order of the law and that of ladders are the same for two inputs.
        kernels.row(k) = scale / std::sqrt(static_cast<double>(width)) * (law.factor * z).transpose();
      }
      result.kernels.push_back(std::move(kernels));
    }
    return result;
  };
}

TEST(LawCheck, AlarmsAsRarelyAsItSays) {
  const analytic::FiniteWidthLaw law = some_law();
  constexpr int checks = 10000;
  for (const double level : {1e-2, 1e-3}) {
    int alarms = 0, found = 0;
    for (int k = 0; k < checks; ++k) {
      const LawCheckOptions options{.false_alarm = level, .pairs = 20};
      const auto seed = static_cast<std::uint64_t>(k);
      alarms += check_law(law, following(law, seed), options).verdict == Verdict::disagree;
      if (k < 100) found += check_law(law, following(law, seed, 1.6), options).verdict == Verdict::disagree;
    }
    const boost::math::binomial binomial(checks, level);
    EXPECT_LE(alarms, quantile(complement(binomial, false_alarm))) << level;
    EXPECT_GT(alarms, 0) << level;
    EXPECT_GE(found, 90) << "fluctuations 2.6 times as large";
    std::printf("level %g: %d of %d, power %d of 100\n", level, alarms, checks, found);
  }
}

/// `some_law` with eigenvalues 5, 2, 1e-5, as networks have it, and with its last direction off by a share of
/// the first, as a law of that relative standard error may have it.
std::pair<analytic::FiniteWidthLaw, analytic::FiniteWidthLaw> exact_and_tilted(double share) {
  analytic::FiniteWidthLaw exact = some_law();
  const VectorXd eigenvalues{{5, 2, 1e-5}};
  exact.factor *= eigenvalues.cwiseQuotient(exact.eigenvalues).cwiseSqrt().asDiagonal();
  exact.eigenvalues = eigenvalues;
  exact.c.value = eigenvalues.sum();
  analytic::FiniteWidthLaw tilted = exact;
  MatrixXd unit = exact.factor * eigenvalues.cwiseSqrt().cwiseInverse().asDiagonal();
  const VectorXd first = unit.col(0);
  unit.col(0) -= share * unit.col(2);
  unit.col(2) += share * first;
  tilted.factor = unit * eigenvalues.cwiseSqrt().asDiagonal();
  tilted.c.standard_error = share * exact.c.value;
  return {exact, tilted};
}

TEST(LawCheck, TiltedDirectionsAreNoDisagreement) {
  const auto [exact, tilted] = exact_and_tilted(0.004);
  EXPECT_EQ(check_law(tilted, following(exact, 1)).verdict, Verdict::agree);
  analytic::FiniteWidthLaw sure = tilted;
  sure.c.standard_error = 0;
  EXPECT_EQ(check_law(sure, following(exact, 1)).verdict, Verdict::disagree);
}

TEST(LawCheck, SaysWhyItDoesNotDecide) {
  analytic::FiniteWidthLaw law = some_law();
  LawCheckOptions narrow;
  narrow.largest_width = 64;
  const LawCheckResult far = check_law(law, following(law, 0), narrow);
  EXPECT_EQ(far.verdict, Verdict::inconclusive);
  EXPECT_NE(far.reason.find("beyond the largest, 64"), std::string::npos) << far.reason;
  law.c.standard_error = 1;
  EXPECT_NE(check_law(law, following(law, 0)).reason.find("13.3 %"), std::string::npos);
  law.heavy_tails = "no second moment";
  EXPECT_EQ(check_law(law, following(law, 0)).reason, "no second moment");
}

/// relu layers, the first of this width.
netsor::Program layers(const netsor::Width& first, const MatrixXd& data = MatrixXd{{1, 0.6}, {0, 0.8}}) {
  netsor::Builder b;
  BundleId x = b.input(b.input_weight({"U", first, 2, 2}), data);
  x = b.matmul(b.weight({"W1", {}, first, 2}), b.map(Activation::named("relu"), x));
  b.output(b.readout({"v", 1}), b.map(Activation::named("relu"), x));
  return std::move(b).build();
}

/// h₁ = W tanh(u), h₂ = W' tanh(h₁), and h₁ + h₂ read out: E tanh(u) tanh(h₁) = 0, so that K does not see
/// whether W' = W; but (1/n) Σ tanh(u) tanh(h₁) fluctuates, and with W' = W so does the covariance of h₁ and
/// h₂.
netsor::Program sum(bool tied) {
  netsor::Builder b;
  const Activation tanh = Activation::named("tanh");
  const BundleId u = b.input(b.input_weight({"U", {}, 2, 2}), MatrixXd{{1, 0.6}, {0, 0.8}});
  const netsor::WeightId w = b.weight({"W", {}, {}, 2});
  const netsor::WeightId second = tied ? w : b.weight({"W'", {}, {}, 2});
  const BundleId first = b.matmul(w, b.map(tanh, u));
  b.output(b.readout({"v", 1}), b.add(first, b.matmul(second, b.map(tanh, first))));
  return std::move(b).build();
}

int disagreements(const netsor::Program& network, const netsor::Program& predicted, int checks, double level,
                  std::int64_t pairs) {
  const analytic::FiniteWidthLaw law = analytic::finite_width_law(predicted, {.error = 0.003, .bias = false});
  const auto sampler = std::make_shared<const empirical::Sampler>(network);
  int result = 0;
  for (int k = 0; k < checks; ++k) {
    const LawCheckResult found = check_law(law, ladders_of(sampler, static_cast<std::uint64_t>(k)),
                                           {.false_alarm = level, .pairs = pairs});
    EXPECT_NE(found.verdict, Verdict::inconclusive) << found.reason;
    result += found.verdict == Verdict::disagree;
  }
  return result;
}

TEST(LawCheck, OfNetworksAlarmsRarely) {
  constexpr int checks = 200;
  const boost::math::binomial binomial(checks, 1e-2);
  for (const netsor::Program& program : {layers({}), layers(netsor::Width(1, 2)), sum(true), sum(false)}) {
    const int alarms = disagreements(program, program, checks, 1e-2, 50);
    std::printf("%d of %d\n", alarms, checks);
    EXPECT_LE(alarms, quantile(complement(binomial, false_alarm)));
  }
}

// The check of the kernel: its plan is that of the law of the inputs that its first round looks at.
TEST(ProgramCheck, IsPlannedWhereItLooksAtSomeInputs) {
  MatrixXd data(2, 200);
  for (Eigen::Index j = 0; j < data.cols(); ++j) data.col(j) << std::cos(j), std::sin(j);
  const netsor::Program program = layers({}, data);
  ProgramCheckOptions options;
  options.check.resolution = 0.05;
  options.check.inputs = 8;
  EXPECT_TRUE(check(program, analytic::limit(program), options).foreseen);
  options.foresee = false;
  EXPECT_FALSE(check(program, analytic::limit(program), options).foreseen);
}

TEST(LawCheck, FindsWrongLaws) {
  EXPECT_LT(
      (analytic::finite_width_law(sum(true)).kernel - analytic::finite_width_law(sum(false)).kernel).norm(),
      1e-9);
  EXPECT_EQ(disagreements(layers({}), layers(netsor::Width(1000)), 5, 1e-3, 300), 5)
      << "noise of one Gram left out";
  EXPECT_EQ(disagreements(layers(netsor::Width(1, 2)), layers({}), 5, 1e-3, 300), 5)
      << "half a width forgotten";
  EXPECT_EQ(disagreements(sum(true), sum(false), 5, 1e-3, 1000), 5) << "a tie that K does not see";
}

}  // namespace
}  // namespace nngpcheck::compare
