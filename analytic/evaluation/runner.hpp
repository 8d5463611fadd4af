// A plan run once, or in several randomizations, and what comes of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/evaluation/evaluation.hpp"
#include "nngpcheck/analytic/evaluation/plan.hpp"
#include "nngpcheck/analytic/limit.hpp"

namespace nngpcheck::analytic {

/// Of a moment: value and bound, four at a time.
inline constexpr double bytes_per_entry = 4 * 16;

/// An instruction of the program that the user has: its number there, and its name.
using Named = std::function<std::pair<NodeIndex, std::string>(NodeIndex)>;

/// One summand of a kernel: weight · E[XᵀY].
struct KernelBlock {
  NodeIndex x, y;
  double weight;
};

class Runner {
 public:
  /// All but the goals must outlive this object.
  Runner(const Structure& structure, std::vector<Demand> goals, const LimitOptions& options,
         HermiteTables& tables, Buffers& buffers);

  const Plan& plan() const { return plan_; }

  /// Whether a goal depends on random paths.
  bool randomized() const;

  /// What is the same in all randomizations, before anything else. Throws LimitError if a moment does not fit
  /// the memory.
  void run();

  /// The binary logarithm of the most points whose arrays fit the memory.
  int affordable_log2_points() const;

  /// Throws LimitError unless the arrays of so many points fit.
  void check_points(int log2_points) const;

  /// One small randomization for the principal axes, of use to all later ones and independent of them.
  void pilot(int log2_points);

  void randomize(int log2_points);

  /// The kernel's value, standard error and bound.
  Limit assemble(const std::vector<KernelBlock>& blocks) const;

  /// The rules that moments took, and their costs.
  std::vector<PlanStep> report(const Named& named) const;

 private:
  /// Mean and standard error over the randomizations, with the largest of their bounds.
  struct Summary {
    Eigen::MatrixXd value, standard_error, bound;
  };

  double bytes_per_point() const;
  std::size_t threads(int log2_points) const;
  template <class Quantity>
  Summary summary(bool randomized, const Quantity& quantity) const;
  void check_memory() const;

  const LimitOptions& options_;
  const std::vector<Demand> goals_;
  const Plan plan_;
  Evaluation base_;
  PathPool::Axes axes_;
  std::vector<std::unique_ptr<Evaluation>> replicates_;
};

}  // namespace nngpcheck::analytic
