// The quantities that the limit of a program is made of.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "nngpcheck/analytic/columns/pattern.hpp"
#include "nngpcheck/analytic/columns/structure.hpp"

namespace nngpcheck::analytic {

/// An order parameter of the limit, or a step towards one.
struct Demand {
  enum class Kind {
    mean,         // E[X], m×1
    covariance,   // of two Gaussian bundles, m×m'
    moment,       // E[XᵀY], m×m'
    table,        // the value of a table
    sample,       // paths of a Gaussian bundle: no number, but what later paths are conditioned on
    conditional,  // E[XᵀY | path], on paths of one system: no number, but one per path
  };
  Kind kind;
  NodeIndex left;
  NodeIndex right;                    // ≥ left; `one` for means, `left` for tables and samples
  Pattern entries = Pattern::full();  // less than all only where left = right
  int system = -1;                    // of a conditional: whose paths

  static Demand mean(NodeIndex x) { return {Kind::mean, x, one}; }
  static Demand covariance(NodeIndex x, NodeIndex y) {
    return {Kind::covariance, std::min(x, y), std::max(x, y)};
  }
  /// Some entries of E[XᵀX], or of cov(X, X).
  static Demand moment(NodeIndex x, const Pattern& entries) { return {Kind::moment, x, x, entries}; }
  static Demand covariance(NodeIndex x, const Pattern& entries) { return {Kind::covariance, x, x, entries}; }
  static Demand moment(NodeIndex x, NodeIndex y) { return {Kind::moment, std::min(x, y), std::max(x, y)}; }
  static Demand variance(NodeIndex x) { return {Kind::covariance, x, x, Pattern::diagonal()}; }
  static Demand second_moment(NodeIndex x) { return {Kind::moment, x, x, Pattern::diagonal()}; }
  static Demand table(NodeIndex t) { return {Kind::table, t, t}; }
  static Demand conditional(NodeIndex x, NodeIndex y, int system) {
    return {Kind::conditional, std::min(x, y), std::max(x, y), Pattern::full(), system};
  }
  static Demand sample(NodeIndex leaf) { return {Kind::sample, leaf, leaf}; }

  /// The same quantity with all its entries.
  Demand full() const { return {kind, left, right, Pattern::full(), system}; }

  /// Whether meeting it gives a number, and not only what later paths need.
  bool is_number() const { return kind != Kind::sample && kind != Kind::conditional; }

  friend auto operator<=>(const Demand&, const Demand&) = default;

  /// Of what tells most demands apart.
  struct Hash {
    std::size_t operator()(const Demand& demand) const {
      const std::uint64_t nodes = (std::uint64_t{demand.left} << 32) | demand.right;
      std::uint64_t mixed = (nodes + static_cast<std::uint64_t>(demand.kind)) * 0x9e3779b97f4a7c15;
      mixed ^= mixed >> 32;
      return static_cast<std::size_t>(mixed);
    }
  };
};

/// Long recurrences have as many demands as pairs of steps.
template <class Value>
using DemandMap = std::unordered_map<Demand, Value, Demand::Hash>;

}  // namespace nngpcheck::analytic
