// One coordinate of a network at the limit, drawn many times.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/analytic/law/response.hpp"
#include "nngpcheck/analytic/paths/sobol.hpp"

namespace nngpcheck::analytic {

/// Coordinates ω, scrambled Sobol points, in blocks: the columns of all bundles that averages are made of.
/// Columns are drawn in the program's order, each given the earlier ones of its family, so that a
/// network of width n is n of them, exactly in law, if the covariances are those of the network.
class CoordinateSample {
 public:
  /// `values`: of the limit. All arguments must outlive this object. Throws LimitError if the coordinates are
  /// more than the Sobol sequence has.
  CoordinateSample(Values& values, const Averages& averages, int log2_points, std::uint64_t seed);

  Eigen::Index points() const { return sobol_->points(); }

  /// ψ(ω) - E ψ of every entry of every average (columns), of these points (rows).
  Eigen::MatrixXd noise(Eigen::Index first, Eigen::Index count) const;

  /// Of the averages of one width, the mean over these points of the derivative of ψ(ω) at ω fixed, in a
  /// direction that is Σ_k scores(ω, k) · direction k, where `changes` has directions k: those of the
  /// columns' laws and of tables. Other entries are 0. Throws LimitError where ψ may jump.
  Eigen::VectorXd mean_derivative(Eigen::Index first, const Eigen::MatrixXd& scores, const Changes& changes,
                                  const netsor::Width& width) const;

 private:
  Values& values_;
  const Averages& averages_;
  ConditionalDraws draws_;
  std::vector<Draw> drawn_;
  std::unique_ptr<ScrambledSobol> sobol_;
};

}  // namespace nngpcheck::analytic
