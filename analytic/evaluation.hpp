// Executes a plan: the numbers behind its demands.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analytic/error.hpp"
#include "analytic/linear_form.hpp"
#include "analytic/paths.hpp"
#include "analytic/plan.hpp"
#include "analytic/uncertain.hpp"
#include "progress/progress.hpp"

namespace nngpcheck::analytic {

/// How expensive a step was, for the plan's report.
struct Cost {
  std::int64_t evaluations = 0;
  bool by_formula = false;  // of a dual: closed form throughout
  double bound = 0;         // largest deterministic bound of an entry
};

/// The values of a plan's demands. One evaluation holds the steps that are the same in every randomization;
/// each randomization is another one on top of it.
class Evaluation {
 public:
  /// For the deterministic steps. Values that no later step nor `goals` needs are dropped on the way.
  Evaluation(const Structure& structure, const Plan& plan, const std::vector<Demand>& goals,
             const Progress& progress);

  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  /// The principal axes of each system's common paths.
  using Axes = std::map<int, PrincipalAxes>;

  /// For one randomization with 2^log2_points paths. `base` and `axes` must outlive it, and `base` have run.
  Evaluation(const Evaluation& base, const Axes& axes, int log2_points, std::uint64_t seed);

  /// Computes every step of its kind, in order. Throws LimitError and Stopped.
  void run();

  /// The value of a demand that has been met. Means and diagonals are m×1.
  const UncertainMatrix& operator[](const Demand& demand) const;

  /// E[XᵀY] with the rows of X, whichever of the two comes first.
  UncertainMatrix moment(NodeIndex x, NodeIndex y) const;
  UncertainMatrix covariance(NodeIndex x, NodeIndex y) const;

  /// E[XᵀY] at these columns of X and of Y.
  UncertainMatrix moment(NodeIndex x, const std::vector<Eigen::Index>& rows, NodeIndex y,
                         const std::vector<Eigen::Index>& columns) const;

  /// One entry of E[XᵀY]; with y = one, of E[X].
  double moment_entry(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j) const;

  /// One entry of the covariance of two columns of Gaussian bundles.
  double covariance_entry(const std::pair<NodeIndex, Eigen::Index>& u,
                          const std::pair<NodeIndex, Eigen::Index>& v) const;

  const LinearForm& form(NodeIndex node) { return forms_.of(node); }

  const Cost& cost(const Demand& demand) const;

  /// As this randomization finds them.
  Axes principal_axes() const;

  const Structure& structure() const { return structure_; }
  const Plan& plan() const { return plan_; }
  const Progress& progress() const { return progress_; }

 private:
  void take(const Step& step);
  std::string place_of(const Step& step, const LimitError& error) const;
  static void require_finite(const UncertainMatrix& value);
  UncertainMatrix compute(const Step& step);
  Paths& paths(int system);
  UncertainMatrix average(const Step& step);
  UncertainMatrix linear(const Demand& demand);
  UncertainMatrix mean_of_sources(NodeIndex x);
  UncertainMatrix linear_covariance(const Demand& demand);
  std::vector<Eigen::Index> columns_of(const LinearForm::Term& term) const;
  UncertainMatrix source_covariance(NodeIndex a, const std::vector<Eigen::Index>& rows, NodeIndex b,
                                    const std::vector<Eigen::Index>& columns) const;
  UncertainMatrix covariance_diagonal(NodeIndex x);
  UncertainMatrix gaussian(const Demand& demand) const;
  UncertainMatrix product(const Demand& demand) const;
  UncertainMatrix dual(const Demand& demand);
  UncertainMatrix batch_norm(const Demand& demand);
  UncertainMatrix table(NodeIndex node) const;
  UncertainMatrix diagonal(const Demand& diagonal) const;
  void release(const Step& step);

  const Structure& structure_;
  const Plan& plan_;
  const Progress& progress_;
  const Evaluation* base_ = nullptr;
  const Axes* axes_ = nullptr;
  LinearForms forms_;
  std::map<Demand, UncertainMatrix> values_;
  std::map<Demand, Cost> costs_;
  std::map<Demand, std::int64_t> uses_;  // that still lie ahead; only for deterministic steps
  int log2_points_ = 0;
  std::uint64_t seed_ = 0;
  std::map<int, Paths> paths_;  // per system
  Cost cost_;                   // of the step being computed
};

}  // namespace nngpcheck::analytic
