#include "nngpcheck/analytic/evaluation/evaluation.hpp"

#include <algorithm>

#include "nngpcheck/analytic/columns/buffers.hpp"
#include "nngpcheck/analytic/error.hpp"

namespace nngpcheck::analytic {

namespace {

const PathPool::Axes no_axes;

// Throws with the first row that holds a number that is not finite; of a table with one row, the column.
void require_finite(const Eigen::MatrixXd& x) {
  if (x.allFinite()) return;
  const bool row = x.rows() == 1;
  Eigen::Index k = 0;
  while (row ? x.col(k).allFinite() : x.row(k).allFinite()) ++k;
  throw LimitError("the limit is not finite; use smaller variances", {k});
}

}  // namespace

Evaluation::Evaluation(const Structure& structure, const Plan& plan, const std::vector<Demand>& goals,
                       std::size_t threads, const Progress& progress, HermiteTables* tables, Buffers* buffers)
    : plan_(plan),
      threads_(threads),
      progress_(progress),
      tables_(tables),
      buffers_(buffers),
      values_(structure),
      paths_(values_, plan.systems, no_axes, 0, 0, progress),
      costs_(plan.entries.size()),
      uses_(plan.entries.size()) {
  const auto use = [&](const Demand& demand) { ++uses_[plan.position.at(demand)]; };
  std::for_each(goals.begin(), goals.end(), use);
  for (const Plan::Entry& entry : plan.entries)
    std::for_each(entry.step->needs().begin(), entry.step->needs().end(), use);
}

Evaluation::Evaluation(const Evaluation& base, const PathPool::Axes& axes, int log2_points,
                       std::uint64_t seed)
    : plan_(base.plan_),
      progress_(base.progress_),
      tables_(base.tables_),
      base_(&base),
      values_(base.structure(), &base.values_),
      paths_(values_, plan_.systems, axes, log2_points, seed, progress_),
      costs_(plan_.entries.size()) {}

void Evaluation::run() {
  Workplace workplace = this->workplace();
  for (std::size_t k = 0; k < plan_.entries.size(); ++k) {
    const auto& [step, replicated] = plan_.entries[k];
    if (replicated != (base_ != nullptr)) continue;
    progress_.check();
    if (!base_) {
      progress_.report({}, [&] {
        return "limit, step " + std::to_string(k + 1) + " of " + std::to_string(plan_.entries.size());
      });
    }
    try {
      take(k, workplace);
    } catch (const LimitError& error) {
      const auto [node, columns] = step->place(values_, error);
      const std::string text = structure().program().place(node, columns) + ": " + error.what();
      if (dynamic_cast<const IndefiniteCovariance*>(&error)) throw IndefiniteCovariance(text);
      throw LimitError(text);
    }
  }
}

void Evaluation::take(std::size_t entry, Workplace& workplace) {
  const Step& step = *plan_.entries[entry].step;
  const Demand& demand = step.demand();
  Cost cost;
  UncertainMatrix value = step.value(workplace, cost);
  if (!demand.is_number()) return;
  require_finite(value.value);
  cost.bound = value.bound.maxCoeff();
  values_.set(demand, std::move(value));
  costs_[entry] = cost;
  if (!base_) release(step);
}

// A deterministic step's arguments are dropped after their last use.
void Evaluation::release(const Step& step) {
  for (const Demand& demand : step.needs()) {
    if (--uses_[plan_.position.at(demand)] > 0) continue;
    UncertainMatrix memory = values_.take(demand);
    if (buffers_) buffers_->give(std::move(memory));
  }
}

const Cost& Evaluation::cost(const Demand& demand) const {
  const std::size_t entry = plan_.position.at(demand);
  const Evaluation& made_by = base_ && !plan_.entries[entry].replicated ? *base_ : *this;
  return made_by.costs_[entry];
}

}  // namespace nngpcheck::analytic
