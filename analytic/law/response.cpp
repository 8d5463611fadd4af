#include "nngpcheck/analytic/law/response.hpp"

#include <algorithm>

namespace nngpcheck::analytic {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

Response respond(Workplace& workplace, const Plan& plan, const Averages& averages, const MatrixXd& entries,
                 Perturbation perturbation) {
  const Index directions = entries.cols();
  Response result{Changes(directions), Changes(directions), MatrixXd::Zero(averages.size(), directions)};
  const auto changed = [](const Changes& changes, const Step& step) {
    return std::any_of(step.needs().begin(), step.needs().end(), [&](const Demand& need) {
      return !need.is_number() || changes.find(need) != nullptr;
    });
  };
  for (const auto& [step, replicated] : plan.entries) {
    const Demand& demand = step->demand();
    if (!demand.is_number()) continue;
    workplace.progress.check();
    const Average* average = averages.find(demand);
    const Changes& read = Averages::reads_averages(*step) ? result.empirical : result.expected;
    Directions change;
    if (changed(read, *step)) change = step->push(workplace, read);
    const bool moves = change.size() > 0 && !change.isZero(0);
    if (!average) {
      if (!moves) continue;
      if (demand.kind != Demand::Kind::moment) result.empirical.set(demand, change);
      result.expected.set(demand, std::move(change));
      continue;
    }
    const auto own = entries.middleRows(average->first, average->size());
    auto answer = result.averages.middleRows(average->first, average->size());
    if (moves) answer = average->gather(change);
    MatrixXd theta = own;
    if (perturbation == Perturbation::noise) theta = answer += own;
    if (!theta.isZero(0)) result.empirical.set(demand, average->spread(theta));
    if (moves) result.expected.set(demand, std::move(change));
  }
  return result;
}

VectorXd expectations(const Values& at, const Plan& plan, const PathPool::Axes& axes, int log2_points,
                      std::uint64_t seed, const Averages& averages, const VectorXd& shift,
                      const Progress& progress) {
  Values expected(at.structure()), empirical(at.structure());
  PathPool paths(expected, plan.systems, axes, log2_points, seed, progress);
  Workplace at_expected{expected, paths, plan.systems, 1, progress};
  Workplace at_averages{empirical, paths, plan.systems, 1, progress};
  VectorXd result = VectorXd::Zero(averages.size());
  for (const auto& [step, replicated] : plan.entries) {
    const Demand& demand = step->demand();
    progress.check();
    Cost cost;
    UncertainMatrix value = step->value(Averages::reads_averages(*step) ? at_averages : at_expected, cost);
    if (!demand.is_number()) continue;
    if (const Average* average = averages.find(demand)) {
      result.segment(average->first, average->size()) = average->gather(value.value.reshaped());
      UncertainMatrix theta = at[demand];
      theta.value.reshaped() += average->spread(shift.segment(average->first, average->size())).col(0);
      empirical.set(demand, std::move(theta));
    } else {
      empirical.set(demand, value);
    }
    expected.set(demand, std::move(value));
  }
  return result;
}

}  // namespace nngpcheck::analytic
