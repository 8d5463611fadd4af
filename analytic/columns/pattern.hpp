// Which entries of a quantity are asked for, and where they lie.
#pragma once

#include <Eigen/Core>
#include <compare>
#include <cstdint>
#include <memory>
#include <vector>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// A bundle's columns in classes, such as the positions of images: column j is number place[j] of its class.
struct ColumnClasses {
  std::uint32_t bundle = 0;                        // whose columns; a bundle has one such partition
  std::vector<std::vector<Eigen::Index>> members;  // ascending
  std::vector<Eigen::Index> place;
  Eigen::Index largest = 0;  // size of a class
};

/// Which entries (i, j) of an m×m' quantity are asked for. All entries are stored as an m×m' matrix; those on
/// the diagonal as a column; those within classes as m×largest, entry (i, j) in row i and column place[j], 0
/// where a class is smaller. A step reads and writes entries through this type alone, so that a new pattern
/// is a change here.
class Pattern {
 public:
  static Pattern full() { return Pattern(Kind::full, nullptr); }
  /// The entries (j, j), of a quantity with m = m'.
  static Pattern diagonal() { return Pattern(Kind::diagonal, nullptr); }
  /// The entries (i, j) with i and j in one class, of a quantity with m = m'.
  static Pattern within(std::shared_ptr<const ColumnClasses> classes) {
    return Pattern(Kind::within, std::move(classes));
  }

  bool is_full() const { return kind_ == Kind::full; }
  bool is_diagonal() const { return kind_ == Kind::diagonal; }
  /// Null unless it is `within`.
  const ColumnClasses* classes() const { return classes_.get(); }

  /// The shape in which the entries of an m×m' quantity lie.
  Eigen::Index rows(Eigen::Index m) const { return m; }
  Eigen::Index columns(Eigen::Index other_m) const {
    return is_full() ? other_m : classes_ ? classes_->largest : 1;
  }

  /// The place in memory, column by column, of entry (i, j) of a quantity with m rows. Precondition: it is
  /// asked for.
  Eigen::Index at(Eigen::Index i, Eigen::Index j, Eigen::Index m) const {
    return is_full() ? j * m + i : classes_ ? classes_->place[static_cast<std::size_t>(j)] * m + i : j;
  }

  /// Calls visit(i, j, k) for each entry (i, j), the one at place k in memory.
  template <class Visit>
  void for_each(Eigen::Index m, Eigen::Index other_m, const Visit& visit) const {
    if (is_full()) {
      for (Eigen::Index j = 0; j < other_m; ++j) {
        for (Eigen::Index i = 0; i < m; ++i) visit(i, j, j * m + i);
      }
    } else if (is_diagonal()) {
      for (Eigen::Index j = 0; j < m; ++j) visit(j, j, j);
    } else {
      for (const std::vector<Eigen::Index>& members : classes_->members) {
        for (const Eigen::Index j : members) {
          for (const Eigen::Index i : members) visit(i, j, at(i, j, m));
        }
      }
    }
  }

  /// These entries of a quantity of which all are known. Precondition: not within classes.
  UncertainMatrix of(const UncertainMatrix& all) const {
    if (is_full()) return all;
    return {all.value.diagonal(), all.bound.diagonal()};
  }

  friend bool operator==(const Pattern& a, const Pattern& b) { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const Pattern& a, const Pattern& b) {
    if (const auto kind = a.kind_ <=> b.kind_; kind != 0 || !a.classes_) return kind;
    return a.classes_->bundle <=> b.classes_->bundle;
  }

 private:
  enum class Kind { full, diagonal, within };
  Pattern(Kind kind, std::shared_ptr<const ColumnClasses> classes)
      : kind_(kind), classes_(std::move(classes)) {}
  Kind kind_;
  std::shared_ptr<const ColumnClasses> classes_;
};

}  // namespace nngpcheck::analytic
