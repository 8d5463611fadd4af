#include "nngpcheck/analytic/law/averages.hpp"

#include <algorithm>

#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

using Eigen::Index;
using Eigen::MatrixXd;

MatrixXd Average::gather(const Directions& all) const {
  MatrixXd result(size(), all.cols());
  for (Index k = 0; k < size(); ++k) result.row(k) = all.row(entries[static_cast<std::size_t>(k)].place);
  return result;
}

Directions Average::spread(const Eigen::Ref<const MatrixXd>& entries_of_this) const {
  Directions result =
      Directions::Zero(demand.entries.rows(rows) * demand.entries.columns(columns), entries_of_this.cols());
  for (Index k = 0; k < size(); ++k) {
    const Entry& entry = entries[static_cast<std::size_t>(k)];
    result.row(entry.place) = result.row(entry.mirrored) = entries_of_this.row(k);
  }
  return result;
}

Averages::Averages(const Structure& structure, const Plan& plan, const std::vector<Demand>& outputs) {
  std::set<Demand> read(outputs.begin(), outputs.end());
  for (const auto& [step, replicated] : plan.entries) {
    if (!reads_averages(*step)) continue;
    for (const Demand& need : step->needs()) {
      if (need.kind == Demand::Kind::moment || need.kind == Demand::Kind::mean) read.insert(need);
    }
  }
  for (const auto& [step, replicated] : plan.entries) {
    if (read.contains(step->demand())) add(structure, step->demand());
  }
  find_coordinates(structure);
}

const Average* Averages::find(const Demand& demand) const {
  const auto found = position_.find(demand);
  return found == position_.end() ? nullptr : &all_[found->second];
}

void Averages::add(const Structure& structure, const Demand& demand) {
  const bool mean = demand.right == one;
  Average average{demand,
                  structure.program().type(structure.program().bundle(demand.left)).width,
                  structure.columns(demand.left),
                  mean ? 1 : structure.columns(demand.right),
                  size_,
                  {}};
  const bool symmetric = demand.left == demand.right;
  demand.entries.for_each(average.rows, average.columns, [&](Index i, Index j, Index place) {
    if (symmetric && i < j) return;
    average.entries.push_back(
        {i, mean ? 0 : j, place, symmetric ? demand.entries.at(j, i, average.rows) : place});
  });
  size_ += average.size();
  position_.emplace(demand, all_.size());
  all_.push_back(std::move(average));
}

void Averages::find_coordinates(const Structure& structure) {
  std::set<NodeIndex> visited;
  std::vector<NodeIndex> open;
  for (const Average& average : all_) {
    open.push_back(average.demand.left);
    if (average.demand.right != one) open.push_back(average.demand.right);
  }
  while (!open.empty()) {
    const NodeIndex node = open.back();
    open.pop_back();
    if (!visited.insert(node).second) continue;
    const auto& operation = structure.program().nodes()[node].operation;
    const bool drawn = structure.gaussian(node) && !structure.families(node).empty();
    if (drawn) leaves_.insert(node);
    for (const NodeIndex table : structure.tables(node)) needed_to_draw_.insert(Demand::table(table));
    if (drawn) continue;
    for (const auto& [operand, columns] : netsor::bundle_operands(operation)) open.push_back(operand.index());
  }
  for (const NodeIndex leaf : leaves_) {
    needed_to_draw_.insert(Demand::mean(leaf));
    for (const NodeIndex other : leaves_) {
      if (!disjoint(structure.families(leaf), structure.families(other)))
        needed_to_draw_.insert(Demand::covariance(leaf, other));
    }
  }
}

}  // namespace nngpcheck::analytic
