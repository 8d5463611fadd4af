// Congruences AᵀEB of coefficients beside dense products of long doubles.
#include "nngpcheck/analytic/columns/congruence.hpp"

#include <gtest/gtest.h>

#include <random>

#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"

namespace nngpcheck::analytic {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Dense = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

constexpr Index lines = 30, length = 40, positions = lines * length;  // of one image; more than one chunk
constexpr double scale = -1.7;

/// A convolution of 3×3 with zero padding, whose offsets differ; without `uniform`, positions differ, too.
netsor::SparseMatrix convolution(bool uniform) {
  std::mt19937 random(1);
  std::vector<Eigen::Triplet<double>> entries;
  for (Index p = 0; p < positions; ++p) {
    for (Index d = 0; d < 9; ++d) {
      const Index line = p / length + d / 3 - 1, place = p % length + d % 3 - 1;
      if (line < 0 || line >= lines || place < 0 || place >= length) continue;
      const double coefficient = 1.0 / static_cast<double>(d + 3);
      entries.emplace_back(line * length + place, p,
                           uniform ? coefficient : coefficient * std::uniform_real_distribution()(random));
    }
  }
  netsor::SparseMatrix result(positions, positions);
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

struct Case {
  LinearForm::Term a{0, Coefficients{convolution(true), {}}};
  LinearForm::Term b{0, Coefficients{convolution(false), {}}};
  UncertainMatrix e = exact(MatrixXd::Random(positions, positions));

  UncertainMatrix congruence(Entries entries, std::size_t threads = 1) const {
    UncertainMatrix sum = zero(positions, positions);
    add_congruences(sum, {{a, e, b, scale}}, entries, threads);
    return sum;
  }

  /// Of the entries of some columns.
  Dense expected(const netsor::SparseMatrix& left, Index columns) const {
    const Dense half = e.value.cast<long double>() *
                       Dense(MatrixXd(b.coefficients->value.leftCols(columns)).cast<long double>());
    return scale * (netsor::SparseMatrix(left.transpose()).cast<long double>() * half);
  }
};

TEST(Congruence, IsTheProductWithinItsBound) {
  const Case it;
  const UncertainMatrix found = it.congruence(Entries::all);
  constexpr Index columns = 50;
  const auto excess = [&](const Dense& expected) {
    const MatrixXd error =
        (found.value.leftCols(columns).cast<long double>() - expected).cwiseAbs().cast<double>();
    return (error - found.bound.leftCols(columns)).maxCoeff();
  };
  EXPECT_LE(excess(it.expected(it.a.coefficients->value, columns)), 0);
  EXPECT_LT(found.bound.maxCoeff(), 200 * epsilon);
  // Offsets the other way round.
  const netsor::SparseMatrix mirrored = it.a.coefficients->value.transpose();
  EXPECT_GT(excess(it.expected(mirrored, columns)), 0.01);
}

TEST(Congruence, UpperEntriesAreTheSameAndTheOthersAreLeftAlone) {
  const Case it;
  const UncertainMatrix all = it.congruence(Entries::all), upper = it.congruence(Entries::upper);
  EXPECT_EQ(upper.value, MatrixXd(all.value.triangularView<Eigen::Upper>()));
  EXPECT_EQ(upper.bound, MatrixXd(all.bound.triangularView<Eigen::Upper>()));
  EXPECT_NE(all.value, upper.value);
}

TEST(Congruence, IsTheSameOnAnyNumberOfThreads) {
  Case it;
  it.e.bound.setConstant(1e-3);
  it.a.coefficients->bound = 1e-3 * it.a.coefficients->value;
  const UncertainMatrix one = it.congruence(Entries::upper), three = it.congruence(Entries::upper, 3);
  EXPECT_EQ(one.value, three.value);
  EXPECT_EQ(one.bound, three.bound);
}

/// One offset of a convolution with zero padding: its columns read one row or none.
LinearForm::Term offset(Index down, Index along) {
  netsor::SparseMatrix result(positions, positions);
  for (Index p = 0; p < positions; ++p) {
    const Index line = p / length + down, place = p % length + along;
    if (line < 0 || line >= lines || place < 0 || place >= length) continue;
    result.insert(line * length + place, p) = 1 + 0.1 * static_cast<double>(down);
  }
  result.makeCompressed();
  return {0, Coefficients{std::move(result), {}}};
}

// All nine offsets at once, each with a matrix of its own, beside products that are no shifts.
TEST(Congruence, SumsAreThoseOfTheirTerms) {
  const Case it;
  constexpr Index columns = 50;
  std::vector<LinearForm::Term> terms;
  std::vector<UncertainMatrix> matrices;
  for (Index d = 0; d < 9; ++d) {
    terms.push_back(offset(d / 3 - 1, d % 3 - 1));
    matrices.push_back(exact(MatrixXd::Random(positions, positions)));
  }
  std::vector<Congruence> congruences = {{it.a, it.e, it.b, scale}};
  Dense expected = it.expected(it.a.coefficients->value, columns);
  for (std::size_t d = 0; d < 9; ++d) {
    const netsor::SparseMatrix& shift = terms[d].coefficients->value;
    const double own = static_cast<double>(d) - 3.3;
    congruences.push_back({terms[d], matrices[d], terms[d], own});
    const Dense half =
        matrices[d].value.cast<long double>() * Dense(MatrixXd(shift.leftCols(columns)).cast<long double>());
    expected += own * (netsor::SparseMatrix(shift.transpose()).cast<long double>() * half);
  }
  const auto excess = [&](Entries entries, std::size_t threads) {
    UncertainMatrix sum = zero(positions, positions);
    add_congruences(sum, congruences, entries, threads);
    Dense wanted = expected;
    if (entries == Entries::upper) wanted = Dense(wanted.triangularView<Eigen::Upper>());
    const MatrixXd error =
        (sum.value.leftCols(columns).cast<long double>() - wanted).cwiseAbs().cast<double>();
    return (error - sum.bound.leftCols(columns)).maxCoeff();
  };
  EXPECT_LE(excess(Entries::all, 1), 0);
  EXPECT_LE(excess(Entries::upper, 3), 0);
  std::swap(congruences[2].scale, congruences[3].scale);
  EXPECT_GT(excess(Entries::all, 1), 0.01);
}

// The error of E, and that of coefficients of tables, to first order.
TEST(Congruence, BoundsOfArgumentsAreCarried) {
  Case it;
  it.e.bound.setConstant(1e-3);
  const UncertainMatrix of_e = it.congruence(Entries::all);
  const MatrixXd left = it.a.coefficients->value, right = it.b.coefficients->value;
  const MatrixXd expected = 1e-3 * std::abs(scale) * left.colwise().sum().transpose() * right.colwise().sum();
  EXPECT_LT((of_e.bound - expected).cwiseAbs().maxCoeff(), 1e-12);

  it.e.bound.setZero();
  it.a.coefficients->bound = 1e-3 * it.a.coefficients->value;
  const UncertainMatrix of_a = it.congruence(Entries::all);
  it.b.coefficients->bound = 2e-3 * it.b.coefficients->value;
  const UncertainMatrix of_both = it.congruence(Entries::all);
  EXPECT_GT(of_a.bound.maxCoeff(), 1e-4);
  EXPECT_LT((of_both.bound - 3 * of_a.bound).cwiseAbs().maxCoeff(), 1e-12);
}

}  // namespace
}  // namespace nngpcheck::analytic
