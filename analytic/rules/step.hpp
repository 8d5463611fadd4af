// What a rule makes of a demand: an object that knows what it reads, its value, and how the value changes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nngpcheck/analytic/columns/changes.hpp"
#include "nngpcheck/analytic/columns/values.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/paths/path_systems.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::analytic {

class Buffers;
class HermiteTables;
class PathPool;

/// How a demand is met, for reports.
enum class Method {
  zero,         // a factor of mean 0 is independent of the rest
  linear,       // from moments or means of atoms, random objects and data
  gaussian,     // covariance + product of means
  product,      // independent factors: product of their moments
  dual,         // E[φ(u)ψ(v)] or E[φ(u)]: dual.hpp
  batch_norm,   // batch_norm.hpp
  table,        // a function of moments, means and tables
  sample,       // next columns of the paths
  conditional,  // nothing yet: its arguments are at hand when an average asks for it
  paths,        // average over paths
};

/// How expensive a step was, for the plan's report.
struct Cost {
  std::int64_t evaluations = 0;
  bool by_formula = false;  // of a dual: closed form throughout
  double bound = 0;         // largest deterministic bound of an entry
};

/// Where a step runs: the numbers and the paths of one randomization.
struct Workplace {
  Values& values;
  PathPool& paths;
  const PathSystems& systems;
  std::size_t threads = 1;  // which do not change the numbers
  Progress progress = {};
  HermiteTables* tables = nullptr;  // that are kept between steps
  Buffers* buffers = nullptr;
};

/// A demand, resolved to a rule with its operands: nothing is looked for in the program again.
class Step {
 public:
  Step(const Demand& demand, Method method, std::vector<Demand> needs)
      : demand_(demand), method_(method), needs_(std::move(needs)) {}
  virtual ~Step() = default;

  const Demand& demand() const { return demand_; }
  Method method() const { return method_; }

  /// What must be met before, in any order; `value` and `push` read nothing else.
  const std::vector<Demand>& needs() const { return needs_; }

  /// Whether it depends on random paths, so that it is computed once per randomization.
  bool is_random() const {
    return method_ == Method::paths || method_ == Method::sample || method_ == Method::conditional;
  }

  /// The entries of the demand's pattern. The bound covers the method's error, rounding, and the bounds of
  /// what is needed: the push of these, with absolute values. Throws LimitError.
  virtual UncertainMatrix value(Workplace& workplace, Cost& cost) const = 0;

  /// The derivative: to first order, the change of these entries (rows) where what is needed changes in each
  /// of a batch of directions (columns). Changes of a symmetric quantity are symmetric. Steps without a
  /// number give 0×0. Throws LimitError where the value is not differentiable.
  virtual Directions push(Workplace& workplace, const Changes& changes) const = 0;

  /// Where a program fails: an instruction, and the columns of its value.
  struct Place {
    NodeIndex node;
    std::vector<Eigen::Index> columns = {};
  };

  /// Where `value` failed with this error: as far as the error says, unless a rule finds more.
  virtual Place place(const Values&, const LimitError& error) const {
    return {demand_.left, error.columns()};
  }

  /// How many arrays of one number per path it keeps.
  virtual double arrays_per_path() const { return 0; }

 private:
  Demand demand_;
  Method method_;
  std::vector<Demand> needs_;
};

using StepPointer = std::unique_ptr<const Step>;

}  // namespace nngpcheck::analytic
