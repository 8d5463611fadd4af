// Which columns of a bundle are one and the same random vector, whatever the numbers say.
#pragma once

#include <map>
#include <vector>

#include "nngpcheck/analytic/columns/structure.hpp"

namespace nngpcheck::analytic {

/// Columns are equal if their instruction makes them in the same way of equal columns: an input given twice
/// stays so through all layers. Columns that read tables count as different.
class EqualColumns {
 public:
  explicit EqualColumns(const Structure& structure) : structure_(structure) {}

  /// For each column of a bundle the first one that is equal to it.
  const std::vector<netsor::Index>& of(NodeIndex node);

  /// The same among these columns, as positions in `columns`.
  std::vector<netsor::Index> among(NodeIndex node, const std::vector<netsor::Index>& columns);

 private:
  /// Everything that a column is made of.
  using Recipe = std::vector<double>;
  Recipe recipe(NodeIndex node, netsor::Index column);

  const Structure& structure_;
  std::map<NodeIndex, std::vector<netsor::Index>> found_;
};

}  // namespace nngpcheck::analytic
