// Functions of cells.
#include <algorithm>
#include <limits>

#include "nngpcheck/import/cell_kinds.hpp"
#include "nngpcheck/import/interpret.hpp"
#include "nngpcheck/import/writer.hpp"

namespace nngpcheck::importer {

using netsor::BundleId;
using netsor::Index;

/// Whether what a function reads of a cell depends on the input in the limit, too.
bool Writer::still_depends(const Cell& cell) const {
  if (!cell.depends || at_) return cell.depends;
  const auto g = growth(cell.factor, widths_.n());
  return !g || g->power > -0.1;
}

Cells Writer::map(const netsor::Activation& activation, const Cells& cells, const std::vector<int>& widths) {
  Cells result(cells.size());
  const Cells columns = vectors(cells);
  // Distinct columns by width: those that fill a bundle are mapped as they are.
  std::map<std::string, std::map<std::pair<Column, Values>, std::vector<std::size_t>>> distinct;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const Cell& cell = columns[k];
    if (as_column(cell)) {
      distinct[width(widths[k]).text()][{*as_column(cell), cell.factor}].push_back(k);
    } else if (as_matrix_sum(cell)) {
      throw Refusal{"reject", "outer_product", "a nonlinear function of a product of two vectors"};
    } else if (as_block(cell) && !is_finite_block(cell)) {
      throw Refusal{"outside", "function_of_weights", "a nonlinear function of a weight matrix"};
    }
  }
  for (const auto& [text, members] : distinct) {
    std::map<BundleId, std::vector<std::pair<Column, const std::vector<std::size_t>*>>> whole;
    for (const auto& [key, where] : members)
      if (key.second == constant_values(1)) whole[key.first.bundle].emplace_back(key.first, &where);
    Cells rest;
    std::vector<const std::vector<std::size_t>*> rest_at;
    std::map<BundleId, BundleId> mapped;
    for (const auto& [source, list] : whole)
      if (builder_.type(source).columns == static_cast<Index>(list.size()))
        mapped.emplace(source, builder_.map(activation, source));
    for (const auto& [key, where] : members) {
      const auto found = key.second == constant_values(1) ? mapped.find(key.first.bundle) : mapped.end();
      const Cell& first = columns[where[0]];
      if (found == mapped.end()) {
        rest.push_back(first);
        rest_at.push_back(&where);
        continue;
      }
      for (const std::size_t k : where)
        result[k] = {Column{found->second, key.first.index}, constant_values(1), columns[k].depends, nullptr};
    }
    if (rest.empty()) continue;
    const BundleId done = builder_.map(activation, bundle(rest, widths[(*rest_at[0])[0]]));
    for (std::size_t i = 0; i < rest.size(); ++i) {
      for (const std::size_t k : *rest_at[i])
        result[k] = {Column{done, static_cast<Index>(i)}, constant_values(1), still_depends(columns[k]),
                     nullptr};
    }
  }
  // Numbers that converge: φ of a vector that is constant along the width.
  Cells scalars;
  std::vector<std::size_t> scalars_at;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (columns[k].is_number()) {
      result[k] = number(numbers_map(activation, columns[k].factor), columns[k].depends);
    } else if (as_random(columns[k]) || is_finite_block(columns[k])) {
      result[k] = random(
          [activation](const std::vector<double>& v) {
            return numbers_map(activation, {v[0], 0, 0})[0];
          },
          {columns[k]});
    } else if (as_scalar(columns[k])) {
      scalars.push_back(columns[k]);
      scalars_at.push_back(k);
    }
  }
  if (!scalars.empty()) {
    const BundleId done = builder_.map(activation, builder_.mix(ones(finite).bundle, row(scalars)));
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      Scalar scalar;
      scalar.terms.push_back({constant_values(1), Dot{ones(finite), Column{done, static_cast<Index>(i)}}});
      result[scalars_at[i]] = {std::make_shared<const Scalar>(scalar), constant_values(1), scalars[i].depends,
                               nullptr};
    }
  }
  return result;
}

Cells Writer::maximum(const Cells& left, const Cells& right, const std::vector<int>& widths) {
  Cells result(left.size());
  std::map<std::string, std::vector<std::size_t>> by_width;
  std::vector<std::size_t> numbers_at;
  const auto converges = [](const Cell& c) { return as_scalar(c) != nullptr; };
  for (std::size_t k = 0; k < left.size(); ++k) {
    if (left[k].is_number() && right[k].is_number()) {
      Values values;
      for (std::size_t i = 0; i < width_count; ++i)
        values[i] = std::max(left[k].factor[i], right[k].factor[i]);
      result[k] = number(values, left[k].depends || right[k].depends);
    } else if (left[k].is_number() && left[k].factor[0] == -std::numeric_limits<double>::infinity()) {
      result[k] = right[k];
    } else if (right[k].is_number() && right[k].factor[0] == -std::numeric_limits<double>::infinity()) {
      result[k] = left[k];
    } else if (widths[k] == finite && !converges(left[k]) && !converges(right[k])) {
      result[k] =
          random([](const std::vector<double>& v) { return std::max(v[0], v[1]); }, {left[k], right[k]});
    } else if (widths[k] == finite) {
      numbers_at.push_back(k);
    } else {
      by_width[width(widths[k]).text()].push_back(k);
    }
  }
  for (const std::size_t k : numbers_at) result[k] = larger(left[k], right[k]);
  for (const auto& [text, members] : by_width) {
    Cells a, b;
    for (const std::size_t k : members) {
      a.push_back(left[k]);
      b.push_back(right[k]);
    }
    const int w = widths[members[0]];
    const BundleId done = builder_.max(bundle(a, w), bundle(b, w));
    for (std::size_t i = 0; i < members.size(); ++i)
      result[members[i]] = {Column{done, static_cast<Index>(i)}, constant_values(1),
                            still_depends(a[i]) || still_depends(b[i]), nullptr};
  }
  return result;
}

/// Of two numbers, of which one converges: (a + b + |a − b|)/2, the larger power of n taken out of both.
Cell Writer::larger(const Cell& left, const Cell& right) {
  if (as_random(left) || is_finite_block(left) || as_random(right) || is_finite_block(right))
    return random([](const std::vector<double>& v) { return std::max(v[0], v[1]); }, {left, right});
  const double power = std::max(power_of_number(left), power_of_number(right));
  const Cell a = scaled(left, powers(-power)), b = scaled(right, powers(-power));
  const std::vector<int> widths = {finite};
  const Cells distance = map(netsor::Activation::named("abs"), add({{a, scaled(b, -1)}}, widths), widths);
  return scaled(add({{a, b, distance[0]}}, widths)[0], powers(power) * constant_values(0.5));
}

Cells Writer::function(const netsor::Function& function, const std::vector<Cells>& arguments,
                       const std::vector<int>& widths) {
  Cells result(widths.size());
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t k = 0; k < widths.size(); ++k) {
    if (widths[k] == finite) {
      Cells own;
      for (const Cells& cells : arguments) own.push_back(cells[k]);
      result[k] = random([function](const std::vector<double>& v) { return function(v); }, own);
    } else {
      by_width[width(widths[k]).text()].push_back(k);
    }
  }
  for (const auto& [text, members] : by_width) {
    std::vector<BundleId> bundles;
    for (const Cells& cells : arguments) {
      Cells own;
      for (const std::size_t k : members) own.push_back(cells[k]);
      bundles.push_back(bundle(own, widths[members[0]]));
    }
    const BundleId done = builder_.nonlin(function, bundles);
    for (std::size_t i = 0; i < members.size(); ++i) {
      bool depends = false;
      for (const Cells& cells : arguments) depends = depends || still_depends(cells[members[i]]);
      result[members[i]] = {Column{done, static_cast<Index>(i)}, constant_values(1), depends, nullptr};
    }
  }
  return result;
}

Cells Writer::standardize(const Cells& cells, const std::vector<int>& groups, const std::vector<int>& widths,
                          double epsilon) {
  Cells result(cells.size());
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t k = 0; k < cells.size(); ++k) by_width[width(widths[k]).text()].push_back(k);
  for (const auto& [text, members] : by_width) {
    Cells xs;
    std::vector<int> group;
    for (const std::size_t k : members) {
      xs.push_back(cells[k]);
      group.push_back(groups[k]);
    }
    const BundleId done = builder_.standardize(bundle(xs, widths[members[0]]), group, epsilon);
    for (std::size_t i = 0; i < members.size(); ++i)
      result[members[i]] = {Column{done, static_cast<Index>(i)}, constant_values(1), still_depends(xs[i]),
                            nullptr};
  }
  return result;
}

}  // namespace nngpcheck::importer
