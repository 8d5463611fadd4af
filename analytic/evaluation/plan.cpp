#include "nngpcheck/analytic/evaluation/plan.hpp"

#include <algorithm>

#include "nngpcheck/analytic/rules/rules.hpp"

namespace nngpcheck::analytic {

namespace {

bool has_tables(const netsor::Program& program) {
  return std::any_of(program.nodes().begin(), program.nodes().end(), [](const netsor::Node& node) {
    return std::holds_alternative<netsor::TableType>(node.type);
  });
}

// One pass of planning, with the systems and leaves of the pass before. Passes are repeated until
// those are stable.
class Planner {
 public:
  Planner(const Structure& structure, const Asked& asked, bool force_paths, const Plan& before)
      : analysis_(structure),
        planning_{structure,
                  asked,
                  force_paths,
                  has_tables(structure.program()),
                  [&before](const Demand& d) { return before.contains(d); },
                  before.systems,
                  plan_.systems,
                  analysis_} {
    plan_.systems = before.systems;
    plan_.systems.local_columns.clear();
    plan_.entries.reserve(before.entries.size());
    plan_.position.reserve(before.entries.size());
  }

  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  Plan run(const std::vector<Demand>& goals) {
    for (const Demand& goal : goals) visit(goal);
    return std::move(plan_);
  }

 private:
  // Depth first, on an explicit stack: programs over long sequences are deep.
  void visit(const Demand& goal) {
    struct Frame {
      StepPointer step;
      std::size_t next;
    };
    std::vector<Frame> stack;
    const auto enter = [&](const Demand& demand) {
      if (!plan_.contains(demand)) stack.push_back({resolve(planning_, demand), 0});
    };
    enter(goal);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next == 0 && plan_.contains(frame.step->demand())) {
        stack.pop_back();
      } else if (frame.next < frame.step->needs().size()) {
        enter(frame.step->needs()[frame.next++]);
      } else {
        finish(std::move(frame.step));
        stack.pop_back();
      }
    }
  }

  void finish(StepPointer step) {
    const bool replicated =
        step->is_random() ||
        (any_replicated_ && std::any_of(step->needs().begin(), step->needs().end(),
                                        [&](const Demand& d) { return plan_.entry(d).replicated; }));
    any_replicated_ = any_replicated_ || replicated;
    plan_.position.emplace(step->demand(), plan_.entries.size());
    plan_.entries.push_back({std::move(step), replicated});
  }

  PathAnalysis analysis_;
  Plan plan_;
  bool any_replicated_ = false;
  Planning planning_;
};

}  // namespace

Plan make_plan(const Structure& structure, const std::vector<Demand>& goals, bool force_paths) {
  const Asked asked(structure, goals, !force_paths);
  Plan plan;
  while (true) {
    Plan next = Planner(structure, asked, force_paths, plan).run(goals);
    const bool same_families = next.systems.families == plan.systems.families;
    const bool stable = same_families && next.systems.common == plan.systems.common &&
                        next.systems.leaves == plan.systems.leaves &&
                        next.entries.size() == plan.entries.size();
    plan = std::move(next);
    if (stable) return plan;
    if (!same_families) {
      plan.systems.common.clear();
      plan.systems.leaves.clear();
    }
  }
}

}  // namespace nngpcheck::analytic
