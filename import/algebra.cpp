#include "nngpcheck/import/algebra.hpp"

#include <algorithm>
#include <cmath>

namespace nngpcheck::importer {

namespace {

const Size one{1, 1, 1};

std::int64_t flat(const std::vector<std::int64_t>& at, const std::vector<std::int64_t>& steps) {
  std::int64_t result = 0;
  for (std::size_t k = 0; k < at.size(); ++k) result += at[k] * steps[k];
  return result;
}

const Cell& cell(const Tensor& x, std::int64_t index) { return x.cells[static_cast<std::size_t>(index)]; }

Size product(const std::vector<Size>& sizes, std::size_t first, std::size_t last) {
  Size result = one;
  for (std::size_t k = first; k < last; ++k)
    for (std::size_t g = 0; g < width_count; ++g) result[g] *= sizes[k][g];
  return result;
}

/// The one width of a cell, or finite; matrices have none that counts.
std::vector<int> single_widths(const std::vector<Axis>& axes) {
  std::vector<int> result;
  for (const std::vector<int>& widths : cell_widths(axes))
    result.push_back(widths.size() == 1 ? widths[0] : finite);
  return result;
}

/// Whether any cell is a vector: numbers may be repeated along a width.
bool has_vectors(const Tensor& x) {
  return std::any_of(x.cells.begin(), x.cells.end(), [](const Cell& cell) {
    const auto* block = std::get_if<Block>(&cell.value);
    return std::holds_alternative<Column>(cell.value) || (block && !block->axes.empty());
  });
}

[[noreturn]] void refuse_shape(const std::string& problem) { throw Refusal{"reject", "shape", problem}; }

}  // namespace

std::size_t Algebra::axis_number(const Tensor& x, std::int64_t axis) {
  const auto count = static_cast<std::int64_t>(x.axes.size());
  if (axis < 0) axis += count;
  if (axis < 0 || axis >= count) refuse_shape("an axis that the tensor does not have");
  return static_cast<std::size_t>(axis);
}

Tensor Algebra::view(const Tensor& x, std::vector<Size> sizes) {
  std::vector<Size> given;
  for (const Axis& axis : x.axes) given.push_back(widths().size(axis));
  const Size total = product(given, 0, given.size());
  for (Size& size : sizes) {
    if (size[0] != -1) continue;
    size = one;
    const Size others = product(sizes, 0, sizes.size());
    for (std::size_t g = 0; g < width_count; ++g) {
      if (others[g] == 0 || total[g] % others[g] != 0) refuse_shape("a view of another size than its tensor");
      size[g] = total[g] / others[g];
    }
  }
  if (product(sizes, 0, sizes.size()) != total) refuse_shape("a view of another size than its tensor");
  Tensor result;
  result.cells = x.cells;
  std::size_t i = 0, j = 0;
  while (i < given.size() || j < sizes.size()) {
    const std::size_t first_i = i, first_j = j;
    if (i < given.size()) ++i;
    if (j < sizes.size()) ++j;
    for (;;) {
      const Size p = product(given, first_i, i), q = product(sizes, first_j, j);
      if (p == q) break;
      if ((p[2] < q[2] || (p[2] == q[2] && p[0] < q[0]) || j == sizes.size()) && i < given.size()) {
        ++i;
      } else if (j < sizes.size()) {
        ++j;
      } else {
        refuse_shape("a view that does not fit its tensor");
      }
    }
    Axis merged = first_i < i ? x.axes[first_i] : finite_axis(1);
    for (std::size_t k = first_i + 1; k < i; ++k) merged = widths().merge(merged, x.axes[k]);
    const auto parts = widths().divide(merged, {sizes.begin() + static_cast<std::ptrdiff_t>(first_j),
                                                sizes.begin() + static_cast<std::ptrdiff_t>(j)});
    result.axes.insert(result.axes.end(), parts.begin(), parts.end());
  }
  return result;
}

Tensor Algebra::divide(const Tensor& x, std::size_t axis, const std::vector<Size>& sizes) {
  Tensor result = x;
  const auto parts = widths().divide(x.axes[axis], sizes);
  const auto at = result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(axis));
  result.axes.insert(at, parts.begin(), parts.end());
  return result;
}

Tensor Algebra::merge(const Tensor& x, std::size_t first, std::size_t last) {
  Tensor result = x;
  Axis merged = x.axes[first];
  for (std::size_t k = first + 1; k <= last; ++k) merged = widths().merge(merged, x.axes[k]);
  const auto begin = result.axes.begin() + static_cast<std::ptrdiff_t>(first);
  result.axes.insert(result.axes.erase(begin, begin + static_cast<std::ptrdiff_t>(last - first + 1)), merged);
  return result;
}

Tensor Algebra::permute(const Tensor& x, const std::vector<std::size_t>& order) {
  Tensor result;
  const auto steps = strides(x.shape());
  std::vector<std::int64_t> new_steps;
  std::vector<std::vector<int>> by_axis;
  for (const std::size_t k : order) {
    result.axes.push_back(x.axes.at(k));
    new_steps.push_back(steps[k]);
    by_axis.push_back(slot_widths(x.axes[k]));
  }
  for_each_position(result.shape(), [&](const std::vector<std::int64_t>& at) {
    result.cells.push_back(cell(x, flat(at, new_steps)));
    std::vector<std::size_t> wide;  // the axes, as they were, of the widths in their new order
    for (std::size_t k = 0; k < at.size(); ++k)
      if (by_axis[k][static_cast<std::size_t>(at[k])] != finite) wide.push_back(order[k]);
    if (wide.size() == 2 && wide[0] > wide[1]) result.cells.back() = transposed(result.cells.back());
  });
  return result;
}

Tensor Algebra::transpose(const Tensor& x, std::int64_t a, std::int64_t b) {
  std::vector<std::size_t> order(x.axes.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  if (!order.empty()) std::swap(order[axis_number(x, a)], order[axis_number(x, b)]);
  return permute(x, order);
}

Tensor Algebra::unsqueeze(const Tensor& x, std::int64_t axis) {
  Tensor result = x;
  if (axis < 0) axis += static_cast<std::int64_t>(x.axes.size()) + 1;
  if (axis < 0 || axis > static_cast<std::int64_t>(x.axes.size()))
    refuse_shape("an axis that the tensor does not have");
  result.axes.insert(result.axes.begin() + axis, finite_axis(1));
  return result;
}

Tensor Algebra::squeeze(const Tensor& x, std::int64_t axis) {
  Tensor result = x;
  if (x.axes.empty()) return x;
  const std::size_t k = axis_number(x, axis);
  if (widths().size(x.axes[k]) == one)
    result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(k));
  return result;
}

Tensor Algebra::expand(const Tensor& given, const std::vector<Size>& sizes, const std::string& name) {
  Tensor x = given;
  while (x.axes.size() < sizes.size()) x = unsqueeze(x, 0);
  Tensor result;
  auto steps = strides(x.shape());
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const Size size = widths().size(x.axes[k]);
    const bool grows = size == one && sizes[k][0] != -1 && sizes[k] != one;
    result.axes.push_back(grows ? widths().axis(name, k, sizes[k]) : x.axes[k]);
    if (grows) steps[k] = 0;
  }
  for_each_position(result.shape(), [&](const std::vector<std::int64_t>& at) {
    result.cells.push_back(cell(x, flat(at, steps)));
  });
  return result;
}

Tensor Algebra::filled(const std::vector<Size>& sizes, double value, const std::string& name) {
  return expand(scalar(constant_values(value)), sizes, name);
}

Tensor Algebra::cat(const std::vector<Tensor>& xs, std::int64_t axis) {
  std::vector<const Tensor*> parts;
  for (const Tensor& x : xs)
    if (!(x.axes.size() == 1 && x.cells.empty())) parts.push_back(&x);
  if (parts.empty()) refuse_shape("nothing to concatenate");
  const std::size_t k = axis_number(*parts[0], axis);
  Tensor result;
  result.axes = parts[0]->axes;
  result.axes[k].clear();
  for (const Tensor* part : parts) {
    if (part->axes.size() != result.axes.size())
      refuse_shape("tensors of different numbers of axes are concatenated");
    for (std::size_t a = 0; a < result.axes.size(); ++a)
      if (a != k) widths().unify(parts[0]->axes[a], part->axes[a]);
    // A finite axis before the width and one behind it stay groups of their own.
    for (const Group& group : part->axes[k]) {
      if (group.width == finite && !result.axes[k].empty() && result.axes[k].back().width == finite) {
        result.axes[k].back().inner += group.inner;
      } else {
        result.axes[k].push_back(group);
      }
    }
  }
  std::vector<std::vector<std::int64_t>> steps;
  for (const Tensor* part : parts) steps.push_back(strides(part->shape()));
  for_each_position(result.shape(), [&](std::vector<std::int64_t> at) {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const std::int64_t length = slots(parts[p]->axes[k]);
      if (at[k] < length) {
        result.cells.push_back(cell(*parts[p], flat(at, steps[p])));
        return;
      }
      at[k] -= length;
    }
  });
  return result;
}

Tensor Algebra::stack(const std::vector<Tensor>& xs, std::int64_t axis) {
  std::vector<Tensor> parts;
  for (const Tensor& x : xs) parts.push_back(unsqueeze(x, axis));
  if (parts.empty()) refuse_shape("nothing to stack");
  return cat(parts, axis < 0 ? axis + static_cast<std::int64_t>(parts[0].axes.size()) : axis);
}

std::vector<Tensor> Algebra::split(const Tensor& x, std::int64_t axis, const std::vector<Size>& sizes) {
  const std::size_t k = axis_number(x, axis);
  const auto pieces = widths().cut(x.axes[k], sizes);
  std::vector<Tensor> result;
  const auto steps = strides(x.shape());
  std::int64_t start = 0;
  for (const Axis& piece : pieces) {
    Tensor part;
    part.axes = x.axes;
    part.axes[k] = piece;
    for_each_position(part.shape(), [&](const std::vector<std::int64_t>& at) {
      part.cells.push_back(cell(x, flat(at, steps) + start * steps[k]));
    });
    start += slots(piece);
    result.push_back(std::move(part));
  }
  return result;
}

Tensor Algebra::take(const Tensor& x, std::int64_t axis, const std::vector<std::int64_t>& positions,
                     double filling) {
  const std::size_t k = axis_number(x, axis);
  if (!is_finite(x.axes[k])) throw AxesMixed{"single entries along the width are taken"};
  Tensor result;
  result.axes = x.axes;
  result.axes[k] = finite_axis(static_cast<std::int64_t>(positions.size()));
  const auto steps = strides(x.shape());
  const std::int64_t length = slots(x.axes[k]);
  for_each_position(result.shape(), [&](std::vector<std::int64_t> at) {
    at[k] = positions[static_cast<std::size_t>(at[k])];
    if (at[k] >= length) refuse_shape("an index beyond the end of its axis");
    result.cells.push_back(at[k] < 0 ? number(filling) : cell(x, flat(at, steps)));
  });
  return result;
}

Tensor Algebra::select(const Tensor& x, std::int64_t axis, std::int64_t position) {
  const std::size_t k = axis_number(x, axis);
  if (position < 0) position += slots(x.axes[k]);
  if (position < 0) refuse_shape("an index before the start of its axis");
  Tensor result = take(x, axis, {position});
  result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(k));
  return result;
}

Tensor Algebra::windows(const Tensor& x, std::size_t axis,
                        const std::vector<std::vector<std::int64_t>>& windows, double filling) {
  if (!is_finite(x.axes[axis])) throw AxesMixed{"windows along the width"};
  std::size_t longest = 0;
  for (const auto& window : windows) longest = std::max(longest, window.size());
  Tensor result;
  result.axes = x.axes;
  result.axes[axis] = finite_axis(static_cast<std::int64_t>(windows.size()));
  result.axes.push_back(finite_axis(static_cast<std::int64_t>(longest)));
  const auto steps = strides(x.shape());
  for_each_position(result.shape(), [&](std::vector<std::int64_t> at) {
    const auto& window = windows[static_cast<std::size_t>(at[axis])];
    const auto k = static_cast<std::size_t>(at.back());
    at.pop_back();
    at[axis] = k < window.size() ? window[k] : -1;
    result.cells.push_back(at[axis] < 0 ? number(filling) : cell(x, flat(at, steps)));
  });
  return result;
}

Algebra::Broadcast Algebra::broadcast(const std::vector<const Tensor*>& xs) {
  Broadcast result;
  std::size_t rank = 0;
  for (const Tensor* x : xs) rank = std::max(rank, x->axes.size());
  result.axes.assign(rank, finite_axis(1));
  for (const Tensor* x : xs) {
    for (std::size_t k = 0; k < x->axes.size(); ++k) {
      Axis& axis = result.axes[rank - x->axes.size() + k];
      if (widths().size(x->axes[k]) == one) continue;
      if (widths().size(axis) == one) {
        axis = x->axes[k];
      } else {
        widths().unify(axis, x->axes[k]);
      }
    }
  }
  std::vector<std::int64_t> shape;
  for (const Axis& axis : result.axes) shape.push_back(slots(axis));
  for (const Tensor* x : xs) {
    std::vector<std::int64_t> steps = strides(x->shape());
    for (std::size_t k = 0; k < steps.size(); ++k)
      if (widths().size(x->axes[k]) == one) steps[k] = 0;
    steps.insert(steps.begin(), rank - steps.size(), 0);
    Cells cells;
    for_each_position(
        shape, [&](const std::vector<std::int64_t>& at) { cells.push_back(cell(*x, flat(at, steps))); });
    result.cells.push_back(std::move(cells));
  }
  result.widths = single_widths(result.axes);
  return result;
}

Tensor Algebra::map(const netsor::Activation& activation, const Tensor& x) {
  return {x.axes, writer_.map(activation, x.cells, single_widths(x.axes))};
}

Tensor Algebra::function(const std::string& name, const Tensor& x) {
  using netsor::Activation;
  // Of numbers in their domains: where a variance of a layer is not positive, PyTorch's model has no value
  // either.
  const auto of = [](const char* called, const char* text) {
    return std::pair(called, Activation::from_expression(netsor::Expression::parse(text), called,
                                                         std::vector<double>{}, Activation::Domain::part));
  };
  static const std::map<std::string, Activation> functions = {
      of("log", "log(x)"),   of("log1p", "log1p(x)"),  of("log2", "log2(x)"),
      of("sqrt", "sqrt(x)"), of("rsqrt", "1/sqrt(x)"), of("reciprocal", "1/x")};
  return map(functions.at(name), x);
}

Tensor Algebra::function(const netsor::Function& function, const std::vector<Tensor>& xs) {
  const auto is_number = [](const Cell& cell) { return cell.is_number(); };
  std::vector<const Tensor*> pointers;
  bool numbers = true;
  for (const Tensor& x : xs) {
    pointers.push_back(&x);
    numbers = numbers && std::all_of(x.cells.begin(), x.cells.end(), is_number);
  }
  if (numbers) return numeric([function](const std::vector<double>& v) { return function(v); }, xs);
  if (xs.size() == 1) {
    return map(netsor::Activation::from_expression(*function.expression(), function.name(), {},
                                                   netsor::Activation::Domain::part),
               xs[0]);
  }
  const Broadcast all = broadcast(pointers);
  return {all.axes, writer_.function(function, all.cells, all.widths)};
}

Tensor Algebra::add(const Tensor& x, const Tensor& y, const Values& factor) {
  const Broadcast both = broadcast({&x, &y});
  std::vector<Cells> sums;
  for (std::size_t k = 0; k < both.widths.size(); ++k)
    sums.push_back({both.cells[0][k], Writer::scaled(both.cells[1][k], factor)});
  return {both.axes, writer_.add(sums, both.widths)};
}

Tensor Algebra::multiply(const Tensor& x, const Tensor& y) {
  const Broadcast both = broadcast({&x, &y});
  return {both.axes, writer_.multiply(both.cells[0], both.cells[1], both.widths)};
}

Tensor Algebra::maximum(const Tensor& x, const Tensor& y) {
  const Broadcast both = broadcast({&x, &y});
  return {both.axes, writer_.maximum(both.cells[0], both.cells[1], both.widths)};
}

Tensor Algebra::scaled(const Tensor& x, const Values& factor) {
  Tensor result = x;
  for (Cell& c : result.cells) c = Writer::scaled(c, factor);
  return result;
}

Tensor Algebra::numeric(const std::function<double(const std::vector<double>&)>& f,
                        const std::vector<Tensor>& xs) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& x : xs) pointers.push_back(&x);
  const Broadcast all = broadcast(pointers);
  Tensor result{all.axes, {}};
  for (std::size_t k = 0; k < all.widths.size(); ++k) {
    Values values;
    bool depends = false, numbers = true;
    Cells arguments;
    for (const Cells& cells : all.cells) {
      arguments.push_back(cells[k]);
      numbers = numbers && cells[k].is_number();
      depends = depends || cells[k].depends;
    }
    if (!numbers) {
      if (all.widths[k] != finite)
        throw Refusal{"reject", "function", "a function of several vectors that has no instruction"};
      result.cells.push_back(writer_.random(f, arguments));
      continue;
    }
    for (std::size_t g = 0; g < width_count; ++g) {
      std::vector<double> v;
      for (const Cell& c : arguments) v.push_back(c.factor[g]);
      values[g] = f(v);
    }
    result.cells.push_back(number(values, depends));
  }
  return result;
}

Tensor Algebra::where(const Tensor& mask, const Tensor& x, const Tensor& y) {
  const Broadcast all = broadcast({&mask, &x, &y});
  Tensor result{all.axes, {}};
  for (std::size_t k = 0; k < all.widths.size(); ++k) {
    const Cell& m = all.cells[0][k];
    if (!m.is_number()) throw Refusal{"reject", "data_dependent", "a choice by what the network computes"};
    result.cells.push_back(m.factor[0] != 0 ? all.cells[1][k] : all.cells[2][k]);
  }
  return result;
}

Tensor Algebra::rsqrt(const Tensor& x, double epsilon) {
  if (has_vectors(x)) return function("rsqrt", add(x, scalar(constant_values(epsilon))));
  return {x.axes, writer_.rsqrt(x.cells, epsilon)};
}

Tensor Algebra::sqrt(const Tensor& given) {
  if (has_vectors(given)) return function("sqrt", given);
  Tensor x = given;
  for (Cell& one : x.cells)
    if (one.is_zero()) one = number(1.0);
  Tensor result = multiply(x, rsqrt(x, 0));
  for (std::size_t k = 0; k < given.cells.size(); ++k)
    if (given.cells[k].is_zero()) result.cells[k] = given.cells[k];
  return result;
}

Tensor Algebra::divide(const Tensor& x, const Tensor& y) {
  const bool numbers =
      std::all_of(y.cells.begin(), y.cells.end(), [](const Cell& c) { return c.is_number(); });
  if (numbers) return multiply(x, numeric([](const std::vector<double>& v) { return 1 / v[0]; }, {y}));
  if (!has_vectors(y)) {
    const Tensor root = rsqrt(y, 0);
    return multiply(x, multiply(root, root));
  }
  static const netsor::Function quotient("divide", netsor::Expression::parse("x/y", {"x", "y"}));
  const Broadcast both = broadcast({&x, &y});
  return {both.axes, writer_.function(quotient, both.cells, both.widths)};
}

Values Algebra::count(const Tensor& x, const std::vector<std::size_t>& axes) {
  Values result = constant_values(1);
  for (const std::size_t k : axes) result = result * values_of(widths().size(x.axes[k]));
  return result;
}

Tensor Algebra::mean(const Tensor& x, const std::vector<std::size_t>& axes, bool keep) {
  return scaled(sum(x, axes, keep), constant_values(1) / count(x, axes));
}

Tensor Algebra::linear(const Tensor& x, const Tensor& weight, const Tensor* bias) {
  std::string labels;
  for (std::size_t k = 0; k + 1 < x.axes.size(); ++k) labels += static_cast<char>('A' + k);
  Tensor result = weight.axes.size() == 1 ? einsum(labels + "i", "i", labels, x, weight, true)
                                          : einsum(labels + "i", "oi", labels + "o", x, weight, true);
  return bias ? add(result, *bias) : result;
}

}  // namespace nngpcheck::importer
