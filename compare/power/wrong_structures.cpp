// Mistakes in how a program puts bundles together.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "nngpcheck/compare/power/mistakes.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::compare {

namespace {

using netsor::Activation;
using netsor::Add;
using netsor::BundleId;
using netsor::Change;
using netsor::Draft;
using netsor::Index;
using netsor::Program;
using netsor::Standardize;
// ---- Batch norm ----

std::vector<double> group_sizes(const Standardize& op) {
  std::map<int, double> sizes;
  for (const int group : op.group) ++sizes[group];
  std::vector<double> result;
  for (const int group : op.group) result.push_back(sizes[group]);
  return result;
}

/// φ(cx) = c φ(x) for c > 0.
bool homogeneous(const Activation& activation) {
  const auto kind = activation.kind();
  return kind == Activation::Kind::relu || kind == Activation::Kind::leaky_relu ||
         kind == Activation::Kind::abs;
}

/// The instructions where standardized columns may as well be rescaled, so that no rule of the limit is lost:
/// all readers if they are homogeneous, else the standardization itself.
std::vector<std::size_t> where_to_rescale(const Program& program, std::size_t standardized) {
  std::vector<std::size_t> readers;
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    const auto& operation = program.nodes()[k].operation;
    const auto operands = netsor::operands(operation);
    if (std::find(operands.begin(), operands.end(), standardized) == operands.end()) continue;
    const auto* map = std::get_if<netsor::Map>(&operation);
    if (!map || !homogeneous(map->activation)) return {standardized};
    readers.push_back(k);
  }
  const auto& blocks = program.output().blocks;
  const bool read_out = std::any_of(blocks.begin(), blocks.end(),
                                    [&](BundleId block) { return block.index() == standardized; });
  if (read_out) return {standardized};
  return readers;
}

Mistake unbiased_variance(const Program& program) {
  Changes changes;
  for_each<Standardize>(program, [&](std::size_t k, const Standardize& op) {
    const std::vector<double> sizes = group_sizes(op);
    // 1/√(S m/(m − 1) + ε) = √((m − 1)/m)/√(S + ε (m − 1)/m).
    if (op.epsilon > 0 &&
        std::adjacent_find(sizes.begin(), sizes.end(), std::not_equal_to<>()) != sizes.end())
      return;
    const auto columns = static_cast<Index>(sizes.size());
    netsor::SparseMatrix factors(columns, columns);
    for (Index j = 0; j < columns; ++j) {
      const double m = sizes[static_cast<std::size_t>(j)];
      factors.insert(j, j) = std::sqrt((m - 1) / m);
    }
    const double epsilon = op.epsilon * (sizes.front() - 1) / sizes.front();
    const std::vector<std::size_t> places = where_to_rescale(program, k);
    if (op.epsilon > 0) {
      changes[k] = [op, epsilon](const Draft& draft, std::uint32_t) {
        return draft.builder().standardize(draft[op.argument], op.group, epsilon).index();
      };
    }
    for (const std::size_t place : places) {
      const auto* map = std::get_if<netsor::Map>(&program.nodes()[place].operation);
      if (!map) {
        changes[place] = [op, epsilon, factors](const Draft& draft, std::uint32_t) {
          netsor::Builder& builder = draft.builder();
          return builder.mix(builder.standardize(draft[op.argument], op.group, epsilon), factors).index();
        };
        continue;
      }
      changes[place] = [factors](const Draft& draft, std::uint32_t copy) {
        return draft.builder().mix(draft.bundle(copy), factors).index();
      };
    }
  });
  return changed(program, "unbiased variance in batch norm", changes);
}

Mistake batches_merged(const Program& program) {
  Changes changes;
  for_each<Standardize>(program, [&](std::size_t k, const Standardize& op) {
    if (*std::max_element(op.group.begin(), op.group.end()) == 0) return;
    changes[k] = [op](const Draft& draft, std::uint32_t) {
      return draft.builder()
          .standardize(draft[op.argument], std::vector<int>(op.group.size(), 0), op.epsilon)
          .index();
    };
  });
  return changed(program, "batches merged", changes);
}

// ---- Layer norm ----

Mistake layer_norm_missing(const Program& program) {
  Changes changes;
  for_each<netsor::Scale>(program, [&](std::size_t k, const netsor::Scale& op) {
    changes[k] = [op](const Draft& draft, std::uint32_t) { return draft[op.argument].index(); };
  });
  return changed(program, "layer norm missing", changes);
}

/// 1·E[X], one column per column of X.
bool is_mean(const Program& program, BundleId bundle) {
  const auto* mix = std::get_if<netsor::TableMix>(&program[bundle].operation);
  return mix && std::holds_alternative<netsor::Ones>(program[mix->argument].operation);
}

/// The sum without those of its terms.
template <class Drops>
Change without(const Add& op, const Drops& drops) {
  std::vector<Add::Term> kept;
  for (const Add::Term& term : op.terms) {
    if (!drops(term.bundle)) kept.push_back(term);
  }
  return [kept](const Draft& draft, std::uint32_t) {
    std::vector<Add::Term> terms;
    for (const Add::Term& term : kept) terms.push_back({term.coefficient, draft[term.bundle]});
    return draft.builder().add(std::move(terms)).index();
  };
}

Mistake mean_not_subtracted(const Program& program) {
  Changes changes;
  for_each<Add>(program, [&](std::size_t k, const Add& op) {
    const auto mean = [&](BundleId bundle) { return is_mean(program, bundle); };
    const auto means = std::count_if(op.terms.begin(), op.terms.end(),
                                     [&](const Add::Term& term) { return mean(term.bundle); });
    if (means > 0 && means < std::ssize(op.terms)) changes[k] = without(op, mean);
  });
  return changed(program, "mean of layer norm not subtracted", changes);
}

// ---- Skips ----

/// Whether `later` is computed from `earlier`, along bundles and not through tables alone.
bool depends(const Program& program, BundleId later, BundleId earlier) {
  std::vector<bool> reached(later.index() + 1, false);
  reached[later.index()] = true;
  for (std::size_t k = later.index(); k > earlier.index(); --k) {
    if (!reached[k]) continue;
    for (const auto& [operand, columns] : netsor::bundle_operands(program.nodes()[k].operation)) {
      reached[operand.index()] = true;
    }
  }
  return later.index() > earlier.index() && reached[earlier.index()];
}

struct Skip {
  BundleId sum;
  std::size_t skip, branch;  // terms
};

/// What is added at every step of a recurrence or subtracted in a norm is no skip: 1, a bias, a mean.
bool can_be_skip(const Program& program, BundleId bundle) {
  return !std::holds_alternative<netsor::Ones>(program[bundle].operation) &&
         !std::holds_alternative<netsor::BiasColumn>(program[bundle].operation) && !is_mean(program, bundle);
}

/// The last sum with a skip for which `wanted` holds.
template <class Wanted>
std::optional<Skip> last_skip(const Program& program, const Wanted& wanted) {
  std::optional<Skip> result;
  for_each<Add>(program, [&](std::size_t k, const Add& op) {
    for (std::size_t skip = 0; skip < op.terms.size(); ++skip) {
      if (!can_be_skip(program, op.terms[skip].bundle)) continue;
      for (std::size_t branch = 0; branch < op.terms.size(); ++branch) {
        if (!depends(program, op.terms[branch].bundle, op.terms[skip].bundle)) continue;
        const Skip found{program.bundle(k), skip, branch};
        if (wanted(found)) result = found;
      }
    }
  });
  return result;
}

Mistake skip_missing(const Program& program, const std::optional<Skip>& skip) {
  if (!skip) return {};
  const Add& op = std::get<Add>(program[skip->sum].operation);
  const BundleId dropped = op.terms[skip->skip].bundle;
  Program wrong = change_instructions(
      program, {{skip->sum.index(), without(op, [&](BundleId term) { return term == dropped; })}});
  return WrongNetwork{"skip missing",
                      program.name(dropped.index()) + " in " + program.name(skip->sum.index()),
                      std::move(wrong)};
}

/// The products with weights and other bundles that a bundle is a linear combination of.
void collect_atoms(const Program& program, BundleId bundle, std::set<BundleId>& atoms) {
  const netsor::Operation& operation = program[bundle].operation;
  if (netsor::form(operation) != netsor::Form::linear) {
    atoms.insert(bundle);
    return;
  }
  for (const auto& [term, columns] : netsor::bundle_operands(operation)) collect_atoms(program, term, atoms);
}

/// Whether a branch may correlate with its skip: not if it is made of products that the skip is not made of.
bool may_correlate(const Program& program, BundleId branch, BundleId skip) {
  std::set<BundleId> of_branch, of_skip;
  collect_atoms(program, branch, of_branch);
  collect_atoms(program, skip, of_skip);
  const auto random = [&](BundleId atom) {
    return netsor::random_object(program[atom].operation).has_value();
  };
  return !std::all_of(of_branch.begin(), of_branch.end(),
                      [&](BundleId atom) { return random(atom) && !of_skip.contains(atom); });
}

Mistake cross_terms_dropped(const Program& program) {
  const std::optional<Skip> skip = last_skip(program, [&](const Skip& candidate) {
    const auto& terms = std::get<Add>(program[candidate.sum].operation).terms;
    return may_correlate(program, terms[candidate.branch].bundle, terms[candidate.skip].bundle);
  });
  if (!skip) return {};
  const Add& op = std::get<Add>(program[skip->sum].operation);
  return WrongNetwork{
      "cross terms of a residual dropped",
      fmt::format("{} and {} in {}", program.name(op.terms[skip->branch].bundle.index()),
                  program.name(op.terms[skip->skip].bundle.index()), program.name(skip->sum.index())),
      decouple(program, skip->sum, skip->branch)};
}

/// Whether a term of a sum is computed from another one of its terms, and may correlate with it.
bool is_correlated_branch(const Program& program, const Add& op, std::size_t branch) {
  return std::any_of(op.terms.begin(), op.terms.end(), [&](const Add::Term& skip) {
    return can_be_skip(program, skip.bundle) && depends(program, op.terms[branch].bundle, skip.bundle) &&
           may_correlate(program, op.terms[branch].bundle, skip.bundle);
  });
}

/// Every such branch times a random vector g of its own: E[(s + g ⊙ b)²] = E[s²] + E[b²].
Mistake all_cross_terms_dropped(const Program& program) {
  Changes changes;
  for_each<Add>(program, [&](std::size_t k, const Add& op) {
    std::vector<std::size_t> branches;
    for (std::size_t term = 0; term < op.terms.size(); ++term) {
      if (is_correlated_branch(program, op, term)) branches.push_back(term);
    }
    if (branches.empty()) return;
    changes[k] = [op, branches, name = program.name(k), width = program.type(program.bundle(k)).width](
                     const Draft& draft, std::uint32_t) {
      netsor::Builder& builder = draft.builder();
      std::vector<Add::Term> terms;
      for (const Add::Term& term : op.terms) terms.push_back({term.coefficient, draft[term.bundle]});
      for (const std::size_t branch : branches) {
        const netsor::BiasId sign =
            builder.bias({fmt::format("{} (independent branch {})", name, branch), width, 1, 0});
        terms[branch].bundle = builder.mul(terms[branch].bundle, builder.column(sign));
      }
      return builder.add(std::move(terms)).index();
    };
  });
  return changed(program, "cross terms of all residuals dropped", changes);
}

}  // namespace

std::vector<Mistake> wrong_structures(const Program& program) {
  const std::optional<Skip> skip = last_skip(program, [](const Skip&) { return true; });
  std::vector<Mistake> result;
  result.push_back(unbiased_variance(program));
  result.push_back(batches_merged(program));
  result.push_back(layer_norm_missing(program));
  result.push_back(mean_not_subtracted(program));
  result.push_back(skip_missing(program, skip));
  result.push_back(cross_terms_dropped(program));
  result.push_back(all_cross_terms_dropped(program));
  return result;
}

}  // namespace nngpcheck::compare
