// Rule 5: averages over paths, and what they are planned from: which families are sampled, on which paths.
#include "nngpcheck/analytic/paths/paths.hpp"

#include <algorithm>
#include <set>

#include "nngpcheck/analytic/columns/leaf_columns.hpp"
#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/paths/pointwise.hpp"
#include "nngpcheck/analytic/rules/rules.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;

// What a common average holds beside other numbers on every path.
constexpr double arrays_per_column = 16;

class SampleStep : public Step {
 public:
  SampleStep(const Demand& demand, std::vector<Demand> needs, int system, Index columns)
      : Step(demand, Method::sample, std::move(needs)), system_(system), columns_(columns) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    workplace.paths[system_].sample(demand().left);
    return {};
  }

  Directions push(Workplace&, const Changes&) const override { return {}; }

  double arrays_per_path() const override { return arrays_per_column * static_cast<double>(columns_); }

 private:
  int system_;
  Index columns_;
};

/// Only its needs count: PathBlock finds conditional moments when an average asks for them.
class ConditionalStep : public Step {
 public:
  ConditionalStep(const Demand& demand, std::vector<Demand> needs)
      : Step(demand, Method::conditional, std::move(needs)) {}

  UncertainMatrix value(Workplace&, Cost&) const override { return {}; }
  Directions push(Workplace&, const Changes&) const override { return {}; }
};

class PathsStep : public Step {
 public:
  PathsStep(const Structure& structure, const Demand& demand, std::vector<Demand> needs, int system,
            bool local, double arrays)
      : Step(demand, Method::paths, std::move(needs)),
        structure_(structure),
        system_(system),
        local_(local),
        arrays_(arrays) {}

  UncertainMatrix value(Workplace& workplace, Cost& cost) const override {
    const auto [x, y] = std::pair(demand().left, demand().right);
    Paths& paths = workplace.paths[system_];
    cost.evaluations = structure_.columns(x) * (y == one ? 1 : structure_.columns(y)) * paths.points();
    const PathAverage average = local_ ? paths.average_locally(x, y) : paths.average(x, y);
    // The arguments' bounds enter with condition number 1, relative to the size of what is averaged.
    double relative = 32 * epsilon;
    for (const Demand& argument : needs()) {
      if (!argument.is_number()) continue;
      const UncertainMatrix& value = workplace.values[argument];
      const double size = value.value.cwiseAbs().maxCoeff();
      if (size > 0) relative = std::max(relative, value.bound.maxCoeff() / size);
    }
    return {average.value, relative * average.size};
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    const auto [x, y] = std::pair(demand().left, demand().right);
    Paths& paths = workplace.paths[system_];
    const PathDerivative derivative =
        is_smooth(workplace.systems.families.at(system_)) ? PathDerivative::pathwise : PathDerivative::score;
    return local_ ? paths.push_locally(x, y, changes, derivative) : paths.push(x, y, changes, derivative);
  }

  double arrays_per_path() const override { return arrays_; }

 private:
  // Whether every function on the way from the sampled columns to the product has a derivative.
  bool is_smooth(const Families& sampled) const {
    const PathNeeds needs = PathAnalysis(structure_).complete({demand().left, demand().right}, sampled);
    std::set<NodeIndex> visited;
    std::vector<NodeIndex> open(needs.known.begin(), needs.known.end());
    while (!open.empty()) {
      const NodeIndex node = open.back();
      open.pop_back();
      if (structure_.gaussian(node) || !visited.insert(node).second) continue;
      const auto& operation = structure_.program().nodes()[node].operation;
      if (netsor::form(operation) == netsor::Form::pointwise && !has_derivatives(operation)) return false;
      for (const auto& [operand, columns] : netsor::bundle_operands(operation))
        open.push_back(operand.index());
    }
    return true;
  }

  const Structure& structure_;
  int system_;
  bool local_;
  double arrays_;
};

/// Finds the systems that steps sample.
class PathPlanner {
 public:
  explicit PathPlanner(const Planning& planning)
      : structure_(planning.structure),
        has_tables_(planning.has_tables),
        systems_(planning.systems),
        before_(planning.before),
        analysis_(planning.analysis) {}

  StepPointer average(const Demand& demand) {
    const PathNeeds::Pair pair(demand.left, demand.right);
    Families sampled, elsewhere;
    for (const auto& [number, families] : systems_.families) elsewhere = unite(elsewhere, families);
    for (Families missing = analysis_.missing(pair, sampled, elsewhere); !missing.empty();
         missing = analysis_.missing(pair, sampled, elsewhere)) {
      sampled = joined(unite(sampled, missing));
    }
    if (sampled.empty()) {
      throw LimitError("rule 5: " + structure_.program().name(demand.left) +
                       " is a function of constants alone; write the constant that it is");
    }
    const int system = sampled.front();
    systems_.families[system] = sampled;
    const bool local = is_local(demand, sampled);
    std::vector<Demand> needs = local ? local_needs(analysis_.complete(pair, sampled))
                                      : common_needs(analysis_.direct(pair, sampled, elsewhere), system);
    for (const NodeIndex node : {demand.left, demand.right}) {
      if (node != one) add_path_tables(needs, node);
    }
    return std::make_unique<PathsStep>(structure_, demand, std::move(needs), system, local,
                                       local ? 0 : conditional_arrays(demand, sampled));
  }

  // Each pair is planned once, however many averages go through it.
  StepPointer conditional(const Demand& demand) {
    std::vector<Demand> needs;
    for (const auto& [number, families] : systems_.families) {
      if (!std::binary_search(families.begin(), families.end(), demand.system)) continue;
      const auto more = common_needs(analysis_.direct({demand.left, demand.right}, families, {}), number);
      needs.insert(needs.end(), more.begin(), more.end());
    }
    return std::make_unique<ConditionalStep>(demand, std::move(needs));
  }

  // The next columns of a leaf are drawn given those of every earlier leaf of its families.
  StepPointer sample(const Demand& demand) const {
    const NodeIndex leaf = demand.left;
    std::vector<Demand> needs = {Demand::mean(leaf)};
    int system = -1;
    for (const auto& [number, families] : systems_.families) {
      if (subset(structure_.families(leaf), families)) system = number;
    }
    for (const NodeIndex other : systems_.leaves) {
      if (other > leaf) break;
      if (disjoint(structure_.families(leaf), structure_.families(other))) continue;
      needs.push_back(Demand::covariance(leaf, other));
      if (other != leaf) needs.push_back(Demand::sample(other));
    }
    return std::make_unique<SampleStep>(demand, std::move(needs), system, structure_.columns(leaf));
  }

 private:
  // One number per path for every pair of columns that has a conditional moment.
  double conditional_arrays(const Demand& demand, const Families& sampled) const {
    if (demand.right == one) return 0;
    if (subset(structure_.families(demand.left), sampled) &&
        subset(structure_.families(demand.right), sampled)) {
      return 0;
    }
    return static_cast<double>(structure_.columns(demand.left) * structure_.columns(demand.right));
  }

  std::vector<Demand> common_needs(const PathNeeds& needs, int system) {
    std::vector<Demand> result(needs.constants.begin(), needs.constants.end());
    for (const auto& [x, y] : needs.pairs) result.push_back(Demand::conditional(x, y, system));
    for (const NodeIndex leaf : needs.leaves) {
      if (structure_.families(leaf).empty()) {
        add_constant_leaf(result, leaf);
      } else {
        systems_.leaves.insert(leaf);
        result.push_back(Demand::sample(leaf));
      }
    }
    return result;
  }

  std::vector<Demand> local_needs(const PathNeeds& needs) const {
    std::vector<Demand> result(needs.constants.begin(), needs.constants.end());
    for (const NodeIndex leaf : needs.leaves) {
      if (structure_.families(leaf).empty()) {
        add_constant_leaf(result, leaf);
        continue;
      }
      result.push_back(Demand::mean(leaf));
      for (const NodeIndex other : needs.leaves) {
        if (!disjoint(structure_.families(leaf), structure_.families(other))) {
          result.push_back(Demand::covariance(leaf, other));
        }
      }
    }
    return result;
  }

  // A combination of the constant column.
  void add_constant_leaf(std::vector<Demand>& needs, NodeIndex leaf) const {
    for (const NodeIndex table : structure_.tables(leaf)) needs.push_back(Demand::table(table));
  }

  // Tables inside the functions of a path: those of every bundle between an atom and its leaves.
  void add_path_tables(std::vector<Demand>& needs, NodeIndex node) const {
    if (!has_tables_) return;
    std::set<NodeIndex> visited;
    std::vector<NodeIndex> open = {node};
    while (!open.empty()) {
      const NodeIndex next = open.back();
      open.pop_back();
      if (structure_.gaussian(next) || !visited.insert(next).second) continue;
      for (const NodeIndex table : structure_.tables(next)) needs.push_back(Demand::table(table));
      for (const NodeIndex atom : structure_.atoms(next)) {
        if (structure_.gaussian(atom)) continue;
        for (const auto& [operand, columns] :
             netsor::bundle_operands(structure_.program().nodes()[atom].operation)) {
          open.push_back(operand.index());
        }
      }
    }
  }

  // The families with those of every system that they belong to; these systems become one.
  Families joined(Families families) {
    auto& systems = systems_.families;
    for (auto system = systems.begin(); system != systems.end();) {
      if (disjoint(system->second, families)) {
        ++system;
      } else {
        families = unite(families, system->second);
        systems.erase(system);
        system = systems.begin();
      }
    }
    systems[families.front()] = families;
    return families;
  }

  // Where every entry that a system is sampled for depends on few columns, each is integrated on paths of its
  // own, in few dimensions; and always where common paths would need more coordinates than there are.
  // Elsewhere common paths are cheaper, and their errors more alike.
  bool is_local(const Demand& demand, const Families& sampled) {
    constexpr Index few_columns = 12;
    constexpr Index few_entries = 4096;
    Index coordinates = 0;
    for (const NodeIndex leaf : before_.leaves) {
      if (subset(structure_.families(leaf), sampled)) coordinates += structure_.columns(leaf);
    }
    const bool too_many = coordinates > ScrambledSobol::largest_dimension;
    if (systems_.common.contains(sampled.front()) && !too_many) return false;
    LeafColumns leaf_columns(structure_, sampled);
    const Index rows = structure_.columns(demand.left);
    const Index columns = demand.right == one ? 1 : structure_.columns(demand.right);
    const Index dependence =
        leaf_columns.most(demand.left) + (demand.right == one ? 0 : leaf_columns.most(demand.right));
    if (dependence > few_columns || rows * columns > few_entries) systems_.common.insert(sampled.front());
    if (systems_.common.contains(sampled.front()) &&
        !(too_many && dependence <= ScrambledSobol::largest_dimension)) {
      return false;
    }
    Index& most = systems_.local_columns[sampled.front()];
    most = std::max(most, dependence);
    return true;
  }

  const Structure& structure_;
  bool has_tables_;
  PathSystems& systems_;
  const PathSystems& before_;
  PathAnalysis& analysis_;
};

}  // namespace

StepPointer paths_rule(const Planning& planning, const Demand& demand) {
  PathPlanner planner(planning);
  if (demand.kind == Demand::Kind::sample) return planner.sample(demand);
  if (demand.kind == Demand::Kind::conditional) return planner.conditional(demand);
  const bool averages = demand.kind == Demand::Kind::moment || demand.kind == Demand::Kind::mean;
  return averages && demand.entries.is_full() ? planner.average(demand) : nullptr;
}

}  // namespace nngpcheck::analytic
