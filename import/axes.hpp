// Private to import/: axes, and which of them are widths.
//
// An axis is a list of groups. A group is a width of size w(n) that holds `inner` interleaved coordinates for
// each of its own (coordinate i, inner index p ↔ position i·inner + p), or `inner` finite positions. So
// flattened channels × positions, concatenated states and heads are axes. A *slot* is a finite position of an
// axis: one of the inner coordinates of a group.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nngpcheck/import/growth.hpp"

namespace nngpcheck::importer {

inline constexpr int finite = -1;

struct Group {
  int width = finite;  // a class of Widths
  std::int64_t inner = 1;
  friend bool operator==(const Group&, const Group&) = default;
};
using Axis = std::vector<Group>;

std::int64_t slots(const Axis& axis);
bool is_finite(const Axis& axis);
/// The width of each slot, or `finite`.
std::vector<int> slot_widths(const Axis& axis);

/// A finite axis.
inline Axis finite_axis(std::int64_t size) { return size == 0 ? Axis{} : Axis{{finite, size}}; }

/// A width was split into parts; whatever was computed with it must be computed again.
struct Split {};

/// Why axes do not fit.
struct AxesMixed {
  std::string problem;
};

/// The classes of width axes. Each begins with the tensor that brings it in (a parameter, zeros); axes that
/// meet become one class; a view or a concatenation splits a class into parts, for all its axes. Classes
/// live as long as the import; what is computed begins anew after each Split.
class Widths {
 public:
  explicit Widths(Size n) : n_(n) {}

  const Size& n() const { return n_; }
  Size size(int width) const { return classes_[root(width)].size; }
  Size size(const Axis& axis) const;
  netsor::Width width(int width) const { return width_of(size(width), n_); }

  /// The axis of this size that this tensor brings in: finite, or a class, by what it was split into.
  Axis axis(const std::string& tensor, std::size_t number, const Size& size);

  /// Makes both axes the same. Throws Split, or AxesMixed if that is not possible.
  void unify(const Axis& left, const Axis& right);

  /// The axes of these sizes that an axis is viewed as, slowest first; slots keep their row-major order.
  std::vector<Axis> divide(const Axis& axis, const std::vector<Size>& sizes);
  /// One axis for two, the left one slower.
  Axis merge(const Axis& left, const Axis& right) const;
  /// The axis cut into pieces of these sizes.
  std::vector<Axis> cut(const Axis& axis, const std::vector<Size>& sizes);

 private:
  struct Class {
    Size size;
    int parent;
    std::vector<Group> parts;  // if it was split; inner counts are relative
  };

  int root(int width) const;
  int add(const Size& size);
  void expand(const Group& group, Axis& result) const;
  void join(int left, int right);
  [[noreturn]] void split_outer(int width, const std::vector<Size>& sizes);
  [[noreturn]] void split_inner(int width, std::int64_t inner);
  Size size(const Group& group) const;
  std::string text_of(const Size& size) const { return text(size, n_); }

  Size n_;
  std::vector<Class> classes_;
  std::map<std::pair<std::string, std::size_t>, int> known_;
};

}  // namespace nngpcheck::importer
