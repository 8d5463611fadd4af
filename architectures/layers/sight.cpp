#include "nngpcheck/architectures/layers/sight.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;

Index longest(const Sites& sites) {
  Index result = 0;
  for (Index s = 0; s < sites.samples(); ++s) result = std::max(result, sites.size(s));
  return result;
}

// An empty table says nothing.
void check_table(const Table& table, const std::string& key, Index queries, Index keys) {
  if (table.empty() || (std::ssize(table) == queries && std::ssize(table.front()) == keys)) return;
  throw ArchitectureError(key + " has " + std::to_string(table.size()) + " rows of " +
                              std::to_string(table.front().size()) + ", and the longest sample has " +
                              std::to_string(queries) + " queries and " + std::to_string(keys) +
                              " keys; give a row for every query, an entry for every key",
                          key);
}

double entry(const Table& table, Index q, Index k) {
  return table[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)];
}

void check_tables(const SelfAttention& layer, const Sites& queries, const Sites& keys) {
  check_table(layer.visible, "visible", longest(queries), longest(keys));
  check_table(layer.score_bias, "score_bias", longest(queries), longest(keys));
  for (const std::vector<double>& row : layer.visible) {
    for (const double seen : row) {
      if (seen != 0 && seen != 1)
        throw ArchitectureError(
            "visible holds a number that is neither 0 nor 1; write 1 for a key that the query sees, else 0",
            "visible");
    }
  }
  if (!layer.relative_bias.empty() && layer.relative_bias.size() % 2 == 0) {
    throw ArchitectureError("relative_bias has " + std::to_string(layer.relative_bias.size()) +
                                " entries; give an odd number, that of difference 0 in the middle",
                            "relative_bias");
  }
}

bool sees(const SelfAttention& layer, Index q, Index k) {
  if (layer.mask == Mask::causal && k > q) return false;
  if (layer.window > 0 && std::abs(k - q) >= layer.window) return false;
  return layer.visible.empty() || entry(layer.visible, q, k) == 1;
}

double added(const SelfAttention& layer, Index q, Index k) {
  double result = -layer.distance_slope * static_cast<double>(std::abs(k - q));
  if (!layer.score_bias.empty()) result += entry(layer.score_bias, q, k);
  if (!layer.relative_bias.empty()) {
    const Index reach = std::ssize(layer.relative_bias) / 2;
    result += layer.relative_bias[static_cast<std::size_t>(reach + std::clamp(k - q, -reach, reach))];
  }
  return result;
}

// Options that compare positions, and whether they are set.
std::vector<std::pair<const char*, bool>> orders(const SelfAttention& layer) {
  return {{"mask", layer.mask == Mask::causal},
          {"window", layer.window > 0},
          {"distance_slope", layer.distance_slope > 0},
          {"relative_bias", !layer.relative_bias.empty()},
          {"relative_bias_variance", layer.relative_bias_variance > 0},
          {"rotary_base", layer.rotary_base > 0}};
}

}  // namespace

Sight sight(const SelfAttention& layer, const Sites& queries, const Sites& keys) {
  check_tables(layer, queries, keys);
  Sight result{Eigen::MatrixXd::Zero(keys.columns(), queries.columns()),
               Eigen::MatrixXd::Zero(keys.columns(), queries.columns())};
  for (Index s = 0; s < queries.samples(); ++s) {
    for (Index q = 0; q < queries.size(s); ++q) {
      const Index column = queries.first(s) + q;
      for (Index k = 0; k < keys.size(s); ++k) {
        if (!sees(layer, q, k)) continue;
        result.mask(keys.first(s) + k, column) = 1;
        result.added(keys.first(s) + k, column) = added(layer, q, k);
      }
      if (result.mask.col(column).any()) continue;
      throw ArchitectureError("visible: position " + std::to_string(q) + " of sample " + std::to_string(s) +
                                  " sees no key; give its row a 1 where the mask and the sample's length "
                                  "leave a key",
                              "visible");
    }
  }
  return result;
}

void check_order(const SelfAttention& layer, const Sites& sites) {
  if (sites.have_axes(1)) return;
  for (const auto& [key, set] : orders(layer)) {
    if (!set) continue;
    throw ArchitectureError(
        std::string(key) + (std::string(key) == "mask"
                                ? " = \"causal\" needs sequences or grids of one axis; use \"full\""
                                : " needs sequences or grids of one axis; leave it out"),
        key);
  }
}

void refuse_order(const SelfAttention& layer) {
  for (const auto& [key, set] : orders(layer)) {
    if (!set) continue;
    throw ArchitectureError(
        std::string(key) + " compares positions of one sequence, and here are two; leave it out", key);
  }
}

}  // namespace nngpcheck::architectures
