// Which entries of a quantity are asked for, and where they lie.
#pragma once

#include <Eigen/Core>
#include <compare>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// Which entries (i, j) of an m×m' quantity are asked for. All entries are stored as an m×m' matrix, fewer as
/// a column, one after the other. A step reads and writes entries through this type alone, so that a new
/// pattern is a change here.
class Pattern {
 public:
  static constexpr Pattern full() { return Pattern(Kind::full); }
  /// The entries (j, j), of a quantity with m = m'.
  static constexpr Pattern diagonal() { return Pattern(Kind::diagonal); }

  bool is_full() const { return kind_ == Kind::full; }

  /// The shape in which the entries of an m×m' quantity lie.
  Eigen::Index rows(Eigen::Index m) const { return m; }
  Eigen::Index columns(Eigen::Index other_m) const { return is_full() ? other_m : 1; }

  /// Calls visit(i, j, k) for each entry (i, j), the k-th in memory.
  template <class Visit>
  void for_each(Eigen::Index m, Eigen::Index other_m, const Visit& visit) const {
    if (is_full()) {
      for (Eigen::Index j = 0; j < other_m; ++j) {
        for (Eigen::Index i = 0; i < m; ++i) visit(i, j, j * m + i);
      }
    } else {
      for (Eigen::Index j = 0; j < m; ++j) visit(j, j, j);
    }
  }

  /// These entries of a quantity of which all are known.
  UncertainMatrix of(const UncertainMatrix& all) const {
    if (is_full()) return all;
    return {all.value.diagonal(), all.bound.diagonal()};
  }

  friend constexpr auto operator<=>(const Pattern&, const Pattern&) = default;

 private:
  enum class Kind { full, diagonal };
  explicit constexpr Pattern(Kind kind) : kind_(kind) {}
  Kind kind_;
};

}  // namespace nngpcheck::analytic
