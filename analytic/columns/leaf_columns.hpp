#pragma once

#include <map>
#include <set>
#include <utility>

#include "nngpcheck/analytic/columns/structure.hpp"

namespace nngpcheck::analytic {

/// Which columns of Gaussian bundles of the sampled families one column of a bundle is a function of.
class LeafColumns {
 public:
  using Column = std::pair<NodeIndex, netsor::Index>;

  LeafColumns(const Structure& structure, const Families& sampled)
      : structure_(structure), sampled_(sampled) {}

  const std::set<Column>& of(Column column);

  /// The largest number of them that one column of a bundle has.
  netsor::Index most(NodeIndex node);

 private:
  std::set<Column> find(Column column);

  const Structure& structure_;
  const Families& sampled_;
  std::map<Column, std::set<Column>> found_;
};

}  // namespace nngpcheck::analytic
