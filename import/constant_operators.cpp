// Tensors of numbers that no parameter and no input is in: filled ones, ranges, grids, masks.
#include <cmath>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

Tensors filled(const Call& call, double value) {
  return {call.algebra().filled(call.result_sizes(), value, call.name())};
}

/// Of the result's shape, from its position; finite axes alone.
template <class Value>
Tensors by_position(const Call& call, const char* what, const Value& value) {
  Tensor result = call.algebra().filled(call.result_sizes(), 0, call.name());
  for (const Axis& axis : result.axes)
    if (!is_finite(axis))
      throw Refusal{"outside", "constant_varies_along_width:" + call.name(),
                    std::string(what) + " along the width"};
  std::size_t k = 0;
  for_each_position(result.shape(), [&](const std::vector<std::int64_t>& at) {
    result.cells[k++] = number(constant_values(value(at)));
  });
  return {result};
}

Tensors arange(const Call& call) {
  const double start = call.given("start") ? call.fixed("start") : 0,
               step = call.given("step") ? call.fixed("step") : 1;
  return by_position(call, "arange",
                     [&](const auto& at) { return start + step * static_cast<double>(at[0]); });
}

Tensors linspace(const Call& call) {
  const double start = call.fixed("start"), end = call.fixed("end"), steps = call.fixed("steps");
  return by_position(call, "linspace", [&](const auto& at) {
    return steps < 2 ? start : start + (end - start) * static_cast<double>(at[0]) / (steps - 1);
  });
}

Tensors eye(const Call& call) {
  return by_position(call, "the identity",
                     [](const auto& at) { return at.size() == 2 && at[0] == at[1] ? 1.0 : 0.0; });
}

Tensors triangle_indices(const Call& call, bool lower) {
  const std::int64_t rows = call.integer("row"), columns = call.integer("col"),
                     offset = call.optional_integer("offset").value_or(0);
  require_cells({rows, columns});
  std::vector<std::array<double, 2>> places;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      if (lower ? j - i <= offset : j - i >= offset)
        places.push_back({static_cast<double>(i), static_cast<double>(j)});
  return by_position(call, "indices", [&](const auto& at) {
    return places.at(static_cast<std::size_t>(at.at(1))).at(static_cast<std::size_t>(at[0]));
  });
}

/// Whether a number is not finite: what the network computes is.
Tensors is_special(const Call& call, bool (*special)(double)) {
  Tensor result = call.tensor("self");
  for (Cell& cell : result.cells)
    cell = number(constant_values(cell.is_number() && special(cell.factor[0]) ? 1 : 0));
  return {result};
}

Tensors any_or_all(const Call& call, bool all) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  const std::vector<std::size_t> axes = call.axes("dim", x);
  const bool keep = call.given("keepdim") && call.flag("keepdim");
  x = a.numeric([](const std::vector<double>& v) { return v[0] != 0 ? 1.0 : 0.0; }, {x});
  const double most = all ? a.count(x, axes)[0] : 1;
  return {a.numeric([most](const std::vector<double>& v) { return v[0] >= most ? 1.0 : 0.0; },
                    {a.sum(x, axes, keep)})};
}

Tensors meshgrid(const Call& call) {
  Algebra& a = call.algebra();
  const Tensors xs = call.tensors("tensors");
  const bool swapped = call.text("indexing") == "xy" && xs.size() > 1;
  Tensors result;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    const std::size_t own = swapped && k < 2 ? 1 - k : k;
    Tensor x = xs[k].axes.empty() ? a.unsqueeze(xs[k], 0) : xs[k];
    for (std::size_t i = 0; i < xs.size(); ++i)
      if (i != own) x = a.unsqueeze(x, static_cast<std::int64_t>(i));
    std::vector<Size> sizes(xs.size(), Size{-1, -1, -1});
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const std::size_t at = swapped && i < 2 ? 1 - i : i;
      if (at != own) sizes[at] = xs[i].axes.empty() ? Size{1, 1, 1} : a.widths().size(xs[i].axes[0]);
    }
    result.push_back(a.expand(x, sizes, call.name()));
  }
  return result;
}

}  // namespace

void add_constant_operators(Operators& ops) {
  for (const char* name :
       {"zeros", "zeros_like", "new_zeros", "empty.memory_format", "empty_like", "new_empty"})
    ops[name] = [](const Call& c) { return filled(c, 0); };
  for (const char* name : {"ones", "ones_like", "new_ones"})
    ops[name] = [](const Call& c) { return filled(c, 1); };
  for (const char* name : {"full", "full_like", "new_full"})
    ops[name] = [](const Call& c) { return filled(c, c.fixed("fill_value")); };
  ops["fill.Scalar"] = [](const Call& c) { return filled(c, c.fixed("value")); };
  ops["scalar_tensor"] = [](const Call& c) { return filled(c, c.fixed("s")); };
  for (const char* name : {"arange", "arange.start", "arange.start_step"}) ops[name] = arange;
  ops["linspace"] = linspace;
  ops["eye"] = ops["eye.m"] = eye;
  ops["tril_indices"] = [](const Call& c) { return triangle_indices(c, true); };
  ops["triu_indices"] = [](const Call& c) { return triangle_indices(c, false); };
  ops["isinf"] = [](const Call& c) { return is_special(c, [](double x) { return std::isinf(x); }); };
  ops["isnan"] = [](const Call& c) { return is_special(c, [](double x) { return std::isnan(x); }); };
  for (const char* name : {"any", "any.dim", "any.dims"})
    ops[name] = [](const Call& c) { return any_or_all(c, false); };
  for (const char* name : {"all", "all.dim", "all.dims"})
    ops[name] = [](const Call& c) { return any_or_all(c, true); };
  ops["meshgrid"] = ops["meshgrid.indexing"] = meshgrid;
}

}  // namespace nngpcheck::importer
