#include "analytic/plan.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "analytic/error.hpp"
#include "analytic/factorization.hpp"
#include "analytic/leaf_columns.hpp"
#include "analytic/path_needs.hpp"
#include "analytic/patterns.hpp"
#include "analytic/sobol.hpp"
#include "netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using netsor::Overloaded;

// One pass of planning, with the systems and leaves of the pass before. Passes are repeated until
// those are stable.
class Planner {
 public:
  Planner(const Structure& structure, bool force_paths, const Plan& before)
      : structure_(structure), force_paths_(force_paths), before_(before), analysis_(structure) {
    for (const netsor::Node& node : structure.program().nodes()) {
      has_tables_ = has_tables_ || std::holds_alternative<netsor::TableType>(node.type);
    }
    plan_.systems = before.systems;
    plan_.common = before.common;
    plan_.leaves = before.leaves;
  }

  Plan run(const std::vector<Demand>& goals) {
    for (const Demand& goal : goals) visit(goal);
    return std::move(plan_);
  }

 private:
  // Depth first, on an explicit stack: programs over long sequences are deep.
  void visit(const Demand& goal) {
    struct Frame {
      Step step;
      std::size_t next;
    };
    std::vector<Frame> stack;
    const auto enter = [&](const Demand& demand) {
      if (!plan_.contains(demand)) stack.push_back({plan_step(demand), 0});
    };
    enter(goal);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (plan_.contains(frame.step.demand)) {
        stack.pop_back();
      } else if (frame.next < frame.step.dependencies.size()) {
        enter(frame.step.dependencies[frame.next++]);
      } else {
        finish(std::move(frame.step));
        stack.pop_back();
      }
    }
  }

  void finish(Step step) {
    step.replicated = step.method == Method::paths || step.method == Method::sample ||
                      step.method == Method::conditional ||
                      std::any_of(step.dependencies.begin(), step.dependencies.end(),
                                  [&](const Demand& d) { return plan_.step(d).replicated; });
    plan_.position.emplace(step.demand, plan_.steps.size());
    plan_.steps.push_back(std::move(step));
  }

  Step plan_step(const Demand& demand) {
    switch (demand.kind) {
      case Demand::Kind::mean:
        return mean(demand.left);
      case Demand::Kind::covariance:
        return covariance(demand);
      case Demand::Kind::moment:
        return moment(demand);
      case Demand::Kind::table:
        return table(demand.left);
      case Demand::Kind::conditional:
        return conditional(demand);
      case Demand::Kind::sample:
        break;
    }
    return sample(demand.left);
  }

  // A diagonal is read off the full matrix where that is wanted anyway, or where only that can be computed.
  Demand diagonal(Demand demand) const {
    const Demand full{demand.kind, demand.left, demand.right};
    return before_.contains(full) ? full : demand;
  }

  Demand second_moment(NodeIndex x) const {
    const bool direct = structure_.gaussian(x) || (structure_.is_atom(x) && dual(x));
    return direct ? diagonal(Demand::second_moment(x)) : Demand::moment(x, x);
  }

  void need_tables(Step& step, NodeIndex node) const {
    for (const NodeIndex table : structure_.tables(node)) step.dependencies.push_back(Demand::table(table));
  }

  Step mean(NodeIndex x) {
    Step step{Demand::mean(x), Method::linear, {}};
    need_tables(step, x);
    if (structure_.gaussian(x)) return step;
    if (!structure_.is_atom(x)) {
      for (const NodeIndex atom : structure_.atoms(x)) step.dependencies.push_back(Demand::mean(atom));
    } else if (const auto pattern = dual(x)) {
      step.method = Method::dual;
      step.dependencies = {Demand::mean(pattern->argument), diagonal(Demand::variance(pattern->argument))};
    } else if (const auto factors = product(x, one)) {
      step.method = Method::product;
      step.dependencies = *factors;
    } else {
      return paths(step.demand);
    }
    return step;
  }

  Step covariance(const Demand& demand) {
    Step step{demand, Method::linear, {}};
    need_tables(step, demand.left);
    if (demand.right != demand.left) need_tables(step, demand.right);
    std::set<Demand> arguments;
    for (const NodeIndex a : structure_.sources(demand.left)) {
      for (const NodeIndex b : structure_.sources(demand.right)) {
        if (!structure_.same_object(a, b)) continue;
        const auto* left = std::get_if<netsor::MatMul>(&structure_.program().nodes()[a].operation);
        const auto* right = std::get_if<netsor::MatMul>(&structure_.program().nodes()[b].operation);
        if (!left) continue;
        const NodeIndex x = left->argument.index();
        const NodeIndex y = right->argument.index();
        const bool only_diagonal = demand.diagonal && a == b && structure_.selects(demand.left);
        arguments.insert(only_diagonal ? second_moment(x) : Demand::moment(x, y));
      }
    }
    step.dependencies.insert(step.dependencies.end(), arguments.begin(), arguments.end());
    return step;
  }

  Step moment(const Demand& demand) {
    const auto [kind, x, y, only_diagonal, system] = demand;
    Step step{demand, Method::linear, {}};
    if (structure_.gaussian(x) && structure_.gaussian(y)) {
      step.method = Method::gaussian;
      step.dependencies = {only_diagonal ? diagonal(Demand::variance(x)) : Demand::covariance(x, y),
                           Demand::mean(x), Demand::mean(y)};
    } else if (!structure_.is_atom(x) || !structure_.is_atom(y)) {
      need_tables(step, x);
      if (y != x) need_tables(step, y);
      std::set<Demand> moments;
      for (const NodeIndex a : structure_.atoms(x)) {
        for (const NodeIndex b : structure_.atoms(y)) moments.insert(Demand::moment(a, b));
      }
      step.dependencies.insert(step.dependencies.end(), moments.begin(), moments.end());
    } else if (provably_zero(x, y)) {
      step.method = Method::zero;
    } else if (const auto factors = product(x, y)) {
      step.method = Method::product;
      step.dependencies = *factors;
    } else if (const auto first = dual(x), second = dual(y); first && second) {
      step.method = Method::dual;
      const NodeIndex u = first->argument, v = second->argument;
      step.dependencies = {only_diagonal ? diagonal(Demand::variance(u)) : Demand::covariance(u, v),
                           Demand::mean(u), Demand::mean(v)};
      if (u != v) {
        step.dependencies.push_back(diagonal(Demand::variance(u)));
        step.dependencies.push_back(diagonal(Demand::variance(v)));
      }
    } else if (const auto u = batch_norm(x), v = batch_norm(y); u && v) {
      step.method = Method::batch_norm;
      step.dependencies = {Demand::covariance(*u, *v)};
      if (*u != *v) {
        step.dependencies.push_back(Demand::covariance(*u, *u));
        step.dependencies.push_back(Demand::covariance(*v, *v));
      }
    } else {
      return paths(demand);
    }
    return step;
  }

  // What rules 2 and 3 would read.
  std::optional<DualPattern> dual(NodeIndex x) const {
    return force_paths_ ? std::nullopt : dual_pattern(structure_, x);
  }

  // What rule 4 would standardize.
  std::optional<NodeIndex> batch_norm(NodeIndex x) const {
    if (force_paths_) return {};
    const auto pattern = batch_norm_pattern(structure_, x);
    return pattern ? std::optional(pattern->argument) : std::nullopt;
  }

  // Whether some factor is Gaussian with mean 0 and independent of all the others.
  bool provably_zero(NodeIndex x, NodeIndex y) const {
    for (const auto& [left, right] : factorize(structure_, x, y, {}).groups) {
      if (left.size() + right.size() != 1) continue;
      const NodeIndex factor = left.empty() ? right.front() : left.front();
      if (!structure_.gaussian(factor)) continue;
      const auto& sources = structure_.sources(factor);
      if (std::all_of(sources.begin(), sources.end(), [&](NodeIndex source) {
            const auto& operation = structure_.program().nodes()[source].operation;
            return std::holds_alternative<netsor::Input>(operation) ||
                   std::holds_alternative<netsor::MatMul>(operation);
          })) {
        return true;
      }
    }
    return false;
  }

  // The demands whose product is E[XᵀY], if the factors fall into independent groups of at most one a side,
  // or two on one side and none on the other.
  std::optional<std::vector<Demand>> product(NodeIndex x, NodeIndex y) const {
    std::vector<Demand> result;
    for (const auto& [left, right] : factorize(structure_, x, y, {}).groups) {
      if (left.size() + right.size() > 2) return {};
      if (left.size() + right.size() == 1) {
        const NodeIndex factor = left.empty() ? right.front() : left.front();
        if (factor == x && y == one) return {};
        result.push_back(Demand::mean(factor));
        continue;
      }
      const NodeIndex first = left.empty() ? right.front() : left.front();
      const NodeIndex second = right.empty() ? left.back() : right.back();
      const Demand demand = Demand::moment(first, second);
      if (y != one && demand == Demand::moment(x, y)) return {};
      result.push_back(demand);
    }
    return result;
  }

  Step table(NodeIndex node) const {
    Step step{Demand::table(node), Method::table, {}};
    netsor::visit<netsor::Form::table>(
        Overloaded{
            [](const netsor::Constant&) {},
            [&](const netsor::Gram& op) {
              step.dependencies = {Demand::moment(op.left.index(), op.right.index())};
            },
            [&](const netsor::Mean& op) { step.dependencies = {Demand::mean(op.argument.index())}; },
            [&](const netsor::Apply& op) { apply(step, op); },
        },
        structure_.program().nodes()[node].operation);
    return step;
  }

  // The diagonal of a Gram needs no more than second moments.
  void apply(Step& step, const netsor::Apply& op) const {
    if (const auto argument = gram_diagonal(structure_, op)) {
      step.dependencies = {second_moment(*argument)};
      return;
    }
    for (const auto argument : op.arguments) step.dependencies.push_back(Demand::table(argument.index()));
  }

  Step paths(const Demand& demand) {
    const PathNeeds::Pair pair(demand.left, demand.right);
    Families sampled, elsewhere;
    for (const auto& [number, families] : plan_.systems) elsewhere = unite(elsewhere, families);
    for (Families missing = analysis_.missing(pair, sampled, elsewhere); !missing.empty();
         missing = analysis_.missing(pair, sampled, elsewhere)) {
      sampled = joined(unite(sampled, missing));
    }
    Step step{demand, Method::paths, {}};
    step.system = sampled.front();
    plan_.systems[step.system] = sampled;
    step.local = is_local(demand, sampled);
    if (step.local) {
      need_local(step, analysis_.complete(pair, sampled));
    } else {
      need_common(step, analysis_.direct(pair, sampled, elsewhere));
    }
    for (const NodeIndex node : {demand.left, demand.right}) {
      if (node != one) need_path_tables(step, node);
    }
    return step;
  }

  // Each pair is planned once, however many averages go through it.
  Step conditional(const Demand& demand) {
    Step step{demand, Method::conditional, {}};
    for (const auto& [number, families] : plan_.systems) {
      if (!std::binary_search(families.begin(), families.end(), demand.system)) continue;
      step.system = number;
      need_common(step, analysis_.direct({demand.left, demand.right}, families, {}));
    }
    return step;
  }

  void need_common(Step& step, const PathNeeds& needs) {
    step.dependencies.insert(step.dependencies.end(), needs.constants.begin(), needs.constants.end());
    for (const auto& [x, y] : needs.pairs)
      step.dependencies.push_back(Demand::conditional(x, y, step.system));
    for (const NodeIndex leaf : needs.leaves) {
      const bool constant = structure_.families(leaf).empty();
      if (!constant) plan_.leaves.insert(leaf);
      step.dependencies.push_back(constant ? Demand::mean(leaf) : Demand::sample(leaf));
    }
  }

  void need_local(Step& step, const PathNeeds& needs) {
    step.dependencies.insert(step.dependencies.end(), needs.constants.begin(), needs.constants.end());
    for (const NodeIndex leaf : needs.leaves) {
      step.dependencies.push_back(Demand::mean(leaf));
      for (const NodeIndex other : needs.leaves) {
        if (!disjoint(structure_.families(leaf), structure_.families(other))) {
          step.dependencies.push_back(Demand::covariance(leaf, other));
        }
      }
    }
  }

  // The families with those of every system that they belong to; these systems become one.
  Families joined(Families families) {
    for (auto system = plan_.systems.begin(); system != plan_.systems.end();) {
      if (disjoint(system->second, families)) {
        ++system;
      } else {
        families = unite(families, system->second);
        plan_.systems.erase(system);
        system = plan_.systems.begin();
      }
    }
    plan_.systems[families.front()] = families;
    return families;
  }

  // Where every entry that a system is sampled for depends on few columns, each is integrated on paths of its
  // own, in few dimensions; and always where common paths would need more coordinates than there are.
  // Elsewhere common paths are cheaper, and their errors more alike.
  bool is_local(const Demand& demand, const Families& sampled) {
    constexpr netsor::Index few_columns = 12;
    constexpr netsor::Index few_entries = 4096;
    netsor::Index coordinates = 0;
    for (const NodeIndex leaf : before_.leaves) {
      if (subset(structure_.families(leaf), sampled)) coordinates += structure_.columns(leaf);
    }
    const bool too_many = coordinates > ScrambledSobol::largest_dimension;
    if (plan_.common.contains(sampled.front()) && !too_many) return false;
    LeafColumns leaf_columns(structure_, sampled);
    const netsor::Index rows = structure_.columns(demand.left);
    const netsor::Index columns = demand.right == one ? 1 : structure_.columns(demand.right);
    const netsor::Index dependence =
        leaf_columns.most(demand.left) + (demand.right == one ? 0 : leaf_columns.most(demand.right));
    if (dependence > few_columns || rows * columns > few_entries) plan_.common.insert(sampled.front());
    if (plan_.common.contains(sampled.front()) &&
        !(too_many && dependence <= ScrambledSobol::largest_dimension)) {
      return false;
    }
    netsor::Index& most = plan_.local_columns[sampled.front()];
    most = std::max(most, dependence);
    return true;
  }

  // Tables inside the functions of a path: those of every bundle between an atom and its leaves.
  void need_path_tables(Step& step, NodeIndex node) const {
    if (!has_tables_) return;
    std::set<NodeIndex> visited;
    std::vector<NodeIndex> open = {node};
    while (!open.empty()) {
      const NodeIndex next = open.back();
      open.pop_back();
      if (structure_.gaussian(next) || !visited.insert(next).second) continue;
      need_tables(step, next);
      for (const NodeIndex atom : structure_.atoms(next)) {
        for (const std::size_t operand : netsor::operands(structure_.program().nodes()[atom].operation)) {
          if (!structure_.gaussian(atom)) open.push_back(static_cast<NodeIndex>(operand));
        }
      }
    }
  }

  // The next columns of a leaf are drawn given those of every earlier leaf of its families.
  Step sample(NodeIndex leaf) const {
    Step step{Demand::sample(leaf), Method::sample, {Demand::mean(leaf)}};
    for (const auto& [number, families] : plan_.systems) {
      if (subset(structure_.families(leaf), families)) step.system = number;
    }
    for (const NodeIndex other : plan_.leaves) {
      if (other > leaf) break;
      if (disjoint(structure_.families(leaf), structure_.families(other))) continue;
      step.dependencies.push_back(Demand::covariance(leaf, other));
      if (other != leaf) step.dependencies.push_back(Demand::sample(other));
    }
    return step;
  }

  const Structure& structure_;
  const bool force_paths_;
  const Plan& before_;
  PathAnalysis analysis_;
  bool has_tables_ = false;
  Plan plan_;
};

}  // namespace

Plan make_plan(const Structure& structure, const std::vector<Demand>& goals, bool force_paths) {
  Plan plan;
  while (true) {
    Plan next = Planner(structure, force_paths, plan).run(goals);
    const bool same_families = next.systems == plan.systems;
    const bool stable = same_families && next.common == plan.common && next.leaves == plan.leaves &&
                        next.steps.size() == plan.steps.size();
    plan = std::move(next);
    if (stable) return plan;
    if (!same_families) {
      plan.common.clear();
      plan.leaves.clear();
    }
  }
}

}  // namespace nngpcheck::analytic
