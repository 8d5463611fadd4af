#include "analytic/evaluation.hpp"

#include "analytic/error.hpp"

namespace nngpcheck::analytic {

namespace {

const PathPool::Axes no_axes;

}  // namespace

Evaluation::Evaluation(const Structure& structure, const Plan& plan, const std::vector<Demand>& goals)
    : plan_(plan), values_(structure), paths_(values_, plan.systems, no_axes, 0, 0) {
  for (const Demand& goal : goals) ++uses_[goal];
  for (const Plan::Entry& entry : plan.entries) {
    for (const Demand& demand : entry.step->needs()) ++uses_[demand];
  }
}

Evaluation::Evaluation(const Evaluation& base, const PathPool::Axes& axes, int log2_points,
                       std::uint64_t seed)
    : plan_(base.plan_),
      base_(&base),
      values_(base.structure(), &base.values_),
      paths_(values_, plan_.systems, axes, log2_points, seed) {}

void Evaluation::run() {
  Workplace workplace{values_, paths_, plan_.systems};
  for (const auto& [step, replicated] : plan_.entries) {
    if (replicated != (base_ != nullptr)) continue;
    const Demand& demand = step->demand();
    Cost cost;
    UncertainMatrix value = step->value(workplace, cost);
    if (!demand.is_number()) continue;
    if (!value.value.allFinite()) {
      throw LimitError("the limit of " + structure().program().name(demand.left) +
                       " is not finite; use smaller variances");
    }
    cost.bound = value.bound.maxCoeff();
    values_.set(demand, std::move(value));
    costs_.emplace(demand, cost);
    if (!base_) release(*step);
  }
  paths_.release();  // only their averages are read from here on
}

// A deterministic step's arguments are dropped after their last use.
void Evaluation::release(const Step& step) {
  for (const Demand& demand : step.needs()) {
    if (--uses_[demand] == 0) values_.erase(demand);
  }
}

const Cost& Evaluation::cost(const Demand& demand) const {
  if (const auto found = costs_.find(demand); found != costs_.end()) return found->second;
  return base_->cost(demand);
}

}  // namespace nngpcheck::analytic
