#include "nngpcheck/import/axes.hpp"

#include <algorithm>

namespace nngpcheck::importer {

namespace {

Size times(const Size& size, std::int64_t factor) {
  return {size[0] * factor, size[1] * factor, size[2] * factor};
}

Size minus(const Size& left, const Size& right) {
  return {left[0] - right[0], left[1] - right[1], left[2] - right[2]};
}

/// left ≤ right at all widths, and not equal.
bool smaller(const Size& left, const Size& right) {
  return left != right && left[0] <= right[0] && left[1] <= right[1] && left[2] <= right[2];
}

std::optional<Size> quotient(const Size& size, std::int64_t divisor) {
  if (divisor < 1) return {};
  for (const std::int64_t s : size)
    if (s % divisor != 0) return {};
  return Size{size[0] / divisor, size[1] / divisor, size[2] / divisor};
}

}  // namespace

std::int64_t slots(const Axis& axis) {
  std::int64_t result = 0;
  for (const Group& group : axis) result += group.inner;
  return result;
}

bool is_finite(const Axis& axis) {
  return std::all_of(axis.begin(), axis.end(), [](const Group& group) { return group.width == finite; });
}

std::vector<int> slot_widths(const Axis& axis) {
  std::vector<int> result;
  for (const Group& group : axis)
    result.insert(result.end(), static_cast<std::size_t>(group.inner), group.width);
  return result;
}

int Widths::root(int width) const {
  while (classes_[width].parent != width) width = classes_[width].parent;
  return width;
}

int Widths::add(const Size& size) {
  const int result = static_cast<int>(classes_.size());
  classes_.push_back({size, result, {}});
  return result;
}

Size Widths::size(const Group& group) const {
  return times(group.width == finite ? Size{1, 1, 1} : size(group.width), group.inner);
}

Size Widths::size(const Axis& axis) const {
  Size result{};
  for (const Group& group : axis) {
    const Size s = size(group);
    for (std::size_t i = 0; i < width_count; ++i) result[i] += s[i];
  }
  return result;
}

void Widths::expand(const Group& group, Axis& result) const {
  if (group.width == finite) {
    if (!result.empty() && result.back().width == finite) {
      result.back().inner += group.inner;
    } else if (group.inner > 0) {
      result.push_back(group);
    }
    return;
  }
  const Class& c = classes_[root(group.width)];
  if (c.parts.empty()) {
    result.push_back({root(group.width), group.inner});
    return;
  }
  for (const Group& part : c.parts) expand({part.width, part.inner * group.inner}, result);
}

Axis Widths::axis(const std::string& tensor, std::size_t number, const Size& size) {
  if (is_constant(size)) return finite_axis(size[0]);
  const auto [entry, is_new] = known_.try_emplace({tensor, number}, 0);
  if (is_new) entry->second = add(size);
  Axis result;
  expand({entry->second, 1}, result);
  return result;
}

void Widths::join(int left, int right) {
  left = root(left);
  right = root(right);
  if (left == right) return;
  if (size(left) != size(right))
    throw AxesMixed{"widths " + text_of(size(left)) + " and " + text_of(size(right)) + " meet"};
  classes_[right].parent = left;
}

void Widths::split_outer(int width, const std::vector<Size>& sizes) {
  std::vector<Group> parts;
  for (const Size& s : sizes) {
    if (s == Size{}) continue;
    if (std::any_of(s.begin(), s.end(), [](std::int64_t k) { return k < 1; }))
      throw AxesMixed{"an axis of " + text_of(size(width)) + " entries is cut where it has none"};
    parts.push_back(is_constant(s) ? Group{finite, s[0]} : Group{add(s), 1});
  }
  classes_[root(width)].parts = parts;
  throw Split{};
}

void Widths::split_inner(int width, std::int64_t inner) {
  const auto outer = quotient(size(width), inner);
  if (!outer) {
    throw AxesMixed{"an axis of " + text_of(size(width)) + " entries is viewed as rows of " +
                    std::to_string(inner)};
  }
  const int part = add(*outer);
  classes_[root(width)].parts = {{part, inner}};
  throw Split{};
}

void Widths::unify(const Axis& left, const Axis& right) {
  if (left == right) return;
  if (size(left) != size(right))
    throw AxesMixed{"axes of " + text_of(size(left)) + " and " + text_of(size(right)) + " entries meet"};
  std::size_t i = 0, j = 0;
  Group a = left.empty() ? Group{} : left[0], b = right.empty() ? Group{} : right[0];
  while (i < left.size() && j < right.size()) {
    const auto next_left = [&] { a = ++i < left.size() ? left[i] : Group{}; };
    const auto next_right = [&] { b = ++j < right.size() ? right[j] : Group{}; };
    const Size s = size(a), t = size(b);
    if (a.width == finite && b.width == finite) {
      const std::int64_t common = std::min(a.inner, b.inner);
      a.inner -= common;
      b.inner -= common;
      if (a.inner == 0) next_left();
      if (b.inner == 0) next_right();
    } else if (s == t) {
      if (a.width == finite || b.width == finite) throw AxesMixed{"a finite axis and the width meet"};
      if (a.inner == b.inner) {
        join(a.width, b.width);
      } else if (a.inner % b.inner == 0) {
        split_inner(b.width, a.inner / b.inner);
      } else if (b.inner % a.inner == 0) {
        split_inner(a.width, b.inner / a.inner);
      } else {
        throw AxesMixed{"the width is interleaved in two ways"};
      }
      next_left();
      next_right();
    } else {
      const bool left_larger = smaller(t, s);
      if (!left_larger && !smaller(s, t))
        throw AxesMixed{"parts of " + text_of(s) + " and " + text_of(t) + " entries meet"};
      const Group& larger = left_larger ? a : b;
      const auto first = quotient(left_larger ? t : s, larger.inner);
      if (larger.width == finite || !first) throw AxesMixed{"the width and positions are mixed"};
      split_outer(larger.width, {*first, minus(size(larger.width), *first)});
    }
  }
}

std::vector<Axis> Widths::cut(const Axis& axis, const std::vector<Size>& sizes) {
  std::vector<Axis> result;
  std::size_t k = 0;
  Group group = axis.empty() ? Group{} : axis[0];
  for (Size rest : sizes) {
    Axis piece;
    while (rest != Size{}) {
      if (k >= axis.size()) throw AxesMixed{"an axis is cut beyond its end"};
      const Size s = size(group);
      if (s == rest || smaller(s, rest)) {
        expand(group, piece);
        rest = minus(rest, s);
        group = ++k < axis.size() ? axis[k] : Group{};
      } else if (group.width == finite) {
        if (!is_constant(rest)) throw AxesMixed{"finite positions are cut at a width"};
        expand({finite, rest[0]}, piece);
        group.inner -= rest[0];
        rest = Size{};
      } else {
        const auto first = quotient(rest, group.inner);
        if (!first || !smaller(rest, s)) throw AxesMixed{"an axis is cut within its interleaved positions"};
        split_outer(group.width, {*first, minus(size(group.width), *first)});
      }
    }
    result.push_back(std::move(piece));
  }
  return result;
}

Axis Widths::merge(const Axis& left, const Axis& right) const {
  Axis result;
  if (is_finite(left)) {
    for (std::int64_t k = 0; k < slots(left); ++k)
      for (const Group& group : right) expand(group, result);
    return result;
  }
  if (!is_finite(right)) throw AxesMixed{"two axes that grow with the width are flattened into one"};
  for (const Group& group : left) expand({group.width, group.inner * slots(right)}, result);
  return result;
}

std::vector<Axis> Widths::divide(const Axis& axis, const std::vector<Size>& sizes) {
  if (sizes.size() <= 1) return sizes.empty() ? std::vector<Axis>{} : std::vector<Axis>{axis};
  if (is_finite(axis)) {
    std::vector<Axis> result;
    for (const Size& s : sizes) result.push_back(finite_axis(s[0]));
    return result;
  }
  Size rest{1, 1, 1};
  for (std::size_t k = 1; k < sizes.size(); ++k)
    for (std::size_t i = 0; i < width_count; ++i) rest[i] *= sizes[k][i];
  Axis first, others;
  if (is_constant(sizes[0])) {
    const auto pieces = cut(axis, std::vector<Size>(static_cast<std::size_t>(sizes[0][0]), rest));
    for (const Axis& piece : pieces) unify(pieces[0], piece);
    first = finite_axis(sizes[0][0]);
    others = pieces.at(0);
    if (!is_finite(others)) {
      Axis canonical;
      for (const Group& group : others) expand(group, canonical);
      others = canonical;
    }
  } else if (is_constant(rest)) {
    for (const Group& group : axis) {
      if (group.inner % rest[0] == 0) {
        expand({group.width, group.inner / rest[0]}, first);
      } else if (group.width != finite && rest[0] % group.inner == 0) {
        split_inner(group.width, rest[0] / group.inner);
      } else {
        throw AxesMixed{"positions and the width are mixed by a view"};
      }
    }
    others = finite_axis(rest[0]);
  } else {
    throw AxesMixed{"an axis is viewed as two that both grow with the width"};
  }
  std::vector<Axis> result = {first};
  const std::vector<Axis> tail = divide(others, {sizes.begin() + 1, sizes.end()});
  result.insert(result.end(), tail.begin(), tail.end());
  return result;
}

}  // namespace nngpcheck::importer
