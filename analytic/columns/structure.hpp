// What can be proved about a program before any number is computed.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::analytic {

/// The number of an instruction.
using NodeIndex = std::uint32_t;

/// In place of a bundle: the constant 1, so that the moment with it is the mean.
inline constexpr NodeIndex one = std::numeric_limits<NodeIndex>::max();

/// Numbers of independent families, ascending.
using Families = std::vector<int>;

Families unite(const Families& left, const Families& right);
bool disjoint(const Families& left, const Families& right);
bool subset(const Families& part, const Families& whole);
Families without(const Families& whole, const Families& part);

/// A Gaussian bundle is a linear combination of *sources*: input, bias, ones, matmul. Two sources are
/// independent unless they are uses of the same random object. Every other bundle is a linear combination of
/// *atoms*: Gaussian bundles and instructions of pointwise or groupwise form, so in the limit one coordinate
/// of all bundles is a function of the Gaussian ones. Random objects that meet in one Gaussian bundle form a
/// *family*; different families are independent, and so are functions of different families.
class Structure {
 public:
  explicit Structure(const netsor::Program& program);

  const netsor::Program& program() const { return program_; }

  bool gaussian(NodeIndex node) const { return bundle(node).gaussian; }
  netsor::Index columns(NodeIndex node) const { return bundle(node).columns; }

  /// The sources of a Gaussian bundle, ascending; a source's only source is itself.
  const std::vector<NodeIndex>& sources(NodeIndex node) const { return facts_[node].sources; }

  /// The atoms of a bundle, ascending; an atom's only atom is itself.
  const std::vector<NodeIndex>& atoms(NodeIndex node) const { return facts_[node].atoms; }
  bool is_atom(NodeIndex node) const { return atoms(node).size() == 1 && atoms(node).front() == node; }

  /// The tables that the coefficients of a bundle's linear combination read, ascending; for a Gaussian
  /// bundle, of its combination of sources.
  const std::vector<NodeIndex>& tables(NodeIndex node) const { return facts_[node].tables; }

  /// Whether each column of a Gaussian bundle reads at most one column of each of its sources.
  bool selects(NodeIndex node) const { return facts_[node].selects; }

  /// The families that a bundle is a function of.
  const Families& families(NodeIndex node) const { return facts_[node].families; }

  /// The two factors of a product of bundles; any other bundle's only factor is itself.
  const std::vector<NodeIndex>& factors(NodeIndex node) const { return facts_[node].factors; }

  /// The Gaussian bundles that a bundle is a coordinatewise function of: itself if it is Gaussian, else those
  /// of its atoms' operands. Ascending.
  const std::vector<NodeIndex>& leaves(NodeIndex node) const { return facts_[node].leaves; }

  /// The mean of a source's columns: of the bias, 1 of the constant column, 0 of a product with a weight.
  double mean_of_source(NodeIndex source) const;

  /// Whether two Gaussian sources are uses of one random object; the constant column is like none.
  bool same_object(NodeIndex left, NodeIndex right) const;

  /// Which column of an operand column j of a coordinatewise instruction reads: 0 if it is broadcast.
  netsor::Index operand_column(NodeIndex operand, netsor::Index j) const {
    return columns(operand) == 1 ? 0 : j;
  }

 private:
  struct Facts {
    std::vector<NodeIndex> sources, atoms, tables, factors, leaves;
    Families families;
    bool selects = true;
  };

  const netsor::BundleType& bundle(NodeIndex node) const {
    return std::get<netsor::BundleType>(program_.nodes()[node].type);
  }
  void find_atoms(NodeIndex node);
  void find_families();

  const netsor::Program& program_;
  std::vector<Facts> facts_;  // per instruction; empty for tables
};

}  // namespace nngpcheck::analytic
