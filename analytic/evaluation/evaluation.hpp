// Executes a plan: the numbers behind its demands.
#pragma once

#include <cstdint>
#include <vector>

#include "nngpcheck/analytic/columns/values.hpp"
#include "nngpcheck/analytic/evaluation/plan.hpp"
#include "nngpcheck/analytic/paths/paths.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::analytic {

/// The values of a plan's demands. One evaluation holds the steps that are the same in every randomization;
/// each randomization is another one on top of it.
class Evaluation {
 public:
  /// For the deterministic steps. Values that no later step nor `goals` needs are dropped on the way.
  Evaluation(const Structure& structure, const Plan& plan, const std::vector<Demand>& goals,
             std::size_t threads, const Progress& progress, HermiteTables* tables = nullptr,
             Buffers* buffers = nullptr);

  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  /// For one randomization with 2^log2_points paths. `base` and `axes` must outlive it, and `base` have run.
  Evaluation(const Evaluation& base, const PathPool::Axes& axes, int log2_points, std::uint64_t seed);

  /// Computes every step of its kind, in order. Throws LimitError and Stopped.
  void run();

  /// Where steps may be pushed once it has run; paths that were released give no more pushes.
  Workplace workplace() { return {values_, paths_, plan_.systems, threads_, progress_, tables_, buffers_}; }

  /// Gives back the memory of the paths: only their averages are read from here on.
  void release_paths() { paths_.release(); }

  const Values& values() const { return values_; }

  const Cost& cost(const Demand& demand) const;

  /// As this randomization finds them.
  PathPool::Axes principal_axes() const { return paths_.principal_axes(); }

  const Structure& structure() const { return values_.structure(); }

 private:
  void take(std::size_t entry, Workplace& workplace);
  void release(const Step& step);

  const Plan& plan_;
  const std::size_t threads_ = 1;  // randomizations run side by side, each on one
  const Progress progress_;
  HermiteTables* const tables_ = nullptr;
  Buffers* const buffers_ = nullptr;
  const Evaluation* base_ = nullptr;
  Values values_;
  PathPool paths_;
  // Of the plan's entries:
  std::vector<Cost> costs_;
  std::vector<std::int64_t> uses_;  // that still lie ahead; only for deterministic steps
};

}  // namespace nngpcheck::analytic
