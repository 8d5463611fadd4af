#include "nngpcheck/analytic/rules/patterns.hpp"

#include <algorithm>
#include <variant>

#include "nngpcheck/analytic/columns/linear_form.hpp"
#include "nngpcheck/analytic/error.hpp"

namespace nngpcheck::analytic {

namespace {

// Whether the mean of a Gaussian bundle is the same in all columns of a group, whatever its sources' means
// are.
bool constant_mean(const Structure& structure, NodeIndex argument, const std::vector<int>& group) {
  if (!structure.tables(argument).empty()) return false;
  LinearForms forms(structure,
                    [](NodeIndex) -> const UncertainMatrix& { throw LimitError("no tables here"); });
  for (const LinearForm::Term& term : forms.of(argument).terms) {
    if (structure.mean_of_source(term.atom) == 0 || !term.coefficients) continue;
    std::vector<double> first(group.size());  // of each group; a source of means has one column
    std::vector<bool> seen(group.size(), false);
    for (std::size_t j = 0; j < group.size(); ++j) {
      const double coefficient = term.coefficients->value.coeff(0, static_cast<netsor::Index>(j));
      const auto g = static_cast<std::size_t>(group[j]);
      if (seen[g] && coefficient != first[g]) return false;
      first[g] = coefficient;
      seen[g] = true;
    }
  }
  return true;
}

}  // namespace

std::optional<DualPattern> dual_pattern(const Structure& structure, NodeIndex node) {
  if (structure.gaussian(node)) return DualPattern{nullptr, node};
  const auto* map = std::get_if<netsor::Map>(&structure.program().nodes()[node].operation);
  if (!map || !structure.gaussian(map->argument.index())) return {};
  return DualPattern{&map->activation, map->argument.index()};
}

std::optional<NodeIndex> gram_diagonal(const Structure& structure, const netsor::Apply& operation) {
  const NodeIndex first = operation.arguments.front().index();
  const auto* gram = std::get_if<netsor::Gram>(&structure.program().nodes()[first].operation);
  if (!std::holds_alternative<netsor::Diagonal>(operation.function) || !gram || gram->left != gram->right)
    return {};
  return gram->left.index();
}

std::vector<netsor::Index> BatchNormPattern::members(int group) const {
  std::vector<netsor::Index> result;
  for (std::size_t j = 0; j < standardize->group.size(); ++j) {
    if (standardize->group[j] == group) result.push_back(static_cast<netsor::Index>(j));
  }
  return result;
}

int BatchNormPattern::groups() const {
  return *std::max_element(standardize->group.begin(), standardize->group.end()) + 1;
}

std::optional<BatchNormPattern> batch_norm_pattern(const Structure& structure, NodeIndex node) {
  const auto& nodes = structure.program().nodes();
  HomogeneousForm form = *homogeneous_form(netsor::Activation::named("identity"));
  if (const auto* map = std::get_if<netsor::Map>(&nodes[node].operation)) {
    const auto of_map = homogeneous_form(map->activation);
    if (!of_map) return {};
    form = *of_map;
    node = map->argument.index();
  }
  const auto* op = std::get_if<netsor::Standardize>(&nodes[node].operation);
  if (!op) return {};
  const NodeIndex argument = op->argument.index();
  if (!structure.gaussian(argument) || !constant_mean(structure, argument, op->group)) return {};
  return BatchNormPattern{argument, form, op};
}

}  // namespace nngpcheck::analytic
