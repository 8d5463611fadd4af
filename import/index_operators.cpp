// Operators that read and write at places which constant indices choose: they move cells, and add those that
// meet.
#include <algorithm>
#include <limits>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

/// Negative positions count from the end.
std::int64_t position_of(std::int64_t at, std::int64_t length) { return at < 0 ? at + length : at; }

/// The one integer of each cell.
std::vector<std::int64_t> indices(const Tensor& x) {
  std::vector<std::int64_t> result;
  for (const Cell& cell : x.cells) {
    if (!cell.is_number()) throw Refusal{"reject", "data_dependent", "an index that the network computes"};
    result.push_back(static_cast<std::int64_t>(cell.factor[0]));
  }
  return result;
}

/// Cells that were read where the user's input says depend on it.
void read_where(Cell& cell, bool depends) { cell.depends = cell.depends || (depends && !cell.is_zero()); }

bool any_depends(const Tensor& x) {
  return std::any_of(x.cells.begin(), x.cells.end(), [](const Cell& c) { return c.depends; });
}

/// Rows of a table, or positions of an axis, that constant indices choose.
Tensor chosen(const Call& call, const Tensor& x, std::size_t axis, const Tensor& index) {
  std::vector<std::int64_t> positions = indices(index);
  const std::int64_t length = slots(x.axes.at(axis));
  for (std::int64_t& at : positions) at = position_of(at, length);
  Tensor result = call.algebra().take(x, static_cast<std::int64_t>(axis), positions);
  const bool depends = any_depends(index);
  for (Cell& cell : result.cells) read_where(cell, depends);
  result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(axis));
  result.axes.insert(result.axes.begin() + static_cast<std::ptrdiff_t>(axis), index.axes.begin(),
                     index.axes.end());
  return result;
}

/// A table that is looked up in reads a one-hot vector: it has a finite fan-in.
void note_table(const Call& call, const Tensor& weight) {
  for (const Cell& cell : weight.cells) {
    if (const auto* block = std::get_if<Block>(&cell.value))
      call.writer()
          .report()
          .usage()[call.writer().archive().graphs[0].inputs[block->input].target]
          .contracted = true;
  }
}

Tensors embedding(const Call& call) {
  note_table(call, call.tensor("weight"));
  return {chosen(call, call.tensor("weight"), 0, call.tensor("indices"))};
}

/// Sums, means or maxima of the rows of each bag, which begins at its offset.
Tensors embedding_bag(const Call& call) {
  Algebra& a = call.algebra();
  note_table(call, call.tensor("weight"));
  Tensor rows = chosen(call, call.tensor("weight"), 0, call.tensor("indices"));
  if (call.given("per_sample_weights"))
    rows = a.multiply(rows, a.unsqueeze(call.tensor("per_sample_weights"), -1));
  const std::vector<std::int64_t> ids = indices(call.tensor("indices"));
  std::vector<std::int64_t> starts = indices(call.tensor("offsets"));
  const bool has_end = call.given("include_last_offset") && call.flag("include_last_offset");
  if (!has_end) starts.push_back(static_cast<std::int64_t>(ids.size()));
  const std::int64_t left_out = call.optional_integer("padding_idx").value_or(-1);
  const std::int64_t mode = call.optional_integer("mode").value_or(0);
  Tensors bags;
  for (std::size_t b = 0; b + 1 < starts.size(); ++b) {
    std::vector<std::int64_t> members;
    for (std::int64_t k = std::max<std::int64_t>(starts[b], 0); k < starts[b + 1]; ++k)
      if (ids.at(static_cast<std::size_t>(k)) != left_out || left_out < 0) members.push_back(k);
    const Tensor bag = a.take(rows, 0, members);
    if (mode == 2 && !members.empty()) {
      Tensor best = a.select(bag, 0, 0);
      for (std::size_t k = 1; k < members.size(); ++k)
        best = a.maximum(best, a.select(bag, 0, static_cast<std::int64_t>(k)));
      bags.push_back(best);
    } else {
      const double count = mode == 1 ? std::max(1.0, static_cast<double>(members.size())) : 1;
      bags.push_back(a.scaled(a.sum(bag, {0}, false), 1 / count));
    }
  }
  return {a.stack(bags, 0)};
}

/// x[i₁, …, i_k] with index tensors for some axes; several must be neighbours.
Tensor at_indices(const Call& call, Tensor x) {
  std::size_t axis = 0;
  std::vector<std::pair<std::size_t, Tensor>> given;
  for (const auto& i : call.optional_tensors("indices")) {
    if (i) given.emplace_back(axis, *i);
    ++axis;
  }
  if (given.empty()) return x;
  if (given.size() == 1) return chosen(call, x, given[0].first, given[0].second);
  // Several neighbouring axes: one axis of their positions.
  std::vector<const Tensor*> pointers;
  for (const auto& [k, t] : given) pointers.push_back(&t);
  const Algebra::Broadcast all = call.algebra().broadcast(pointers);
  Tensor flat{all.axes, Cells(all.widths.size(), number(0.0))};
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].first != given[0].first + i)
      throw Refusal{"reject", "argument:" + call.name(), "indices of axes that are not neighbours"};
    const std::int64_t length = slots(x.axes.at(given[i].first));
    for (std::size_t c = 0; c < flat.cells.size(); ++c) {
      const Cell& own = all.cells[i][c];
      if (!own.is_number()) throw Refusal{"reject", "data_dependent", "an index that the network computes"};
      const std::int64_t at = position_of(static_cast<std::int64_t>(own.factor[0]), length);
      flat.cells[c] = number(
          constant_values(flat.cells[c].factor[0] * static_cast<double>(length) + static_cast<double>(at)),
          flat.cells[c].depends || own.depends);
    }
  }
  x = call.algebra().merge(x, given[0].first, given.back().first);
  return chosen(call, x, given[0].first, flat);
}

Tensors index_select(const Call& call) {
  const Tensor& x = call.tensor("self");
  return {chosen(call, x, Algebra::axis_number(x, call.integer("dim")), call.tensor("index"))};
}

/// For each cell of an index tensor, which cell of x it means: the index along one axis, the place itself
/// along the others, of which it may have fewer.
std::vector<std::int64_t> places(const Call& call, const Tensor& x, std::size_t axis, const Tensor& index) {
  if (index.axes.size() != x.axes.size())
    throw Refusal{"reject", "shape", "an index tensor with another number of axes"};
  if (!is_finite(x.axes[axis])) throw AxesMixed{"single entries along the width are taken"};
  Widths& widths = call.algebra().widths();
  for (std::size_t k = 0; k < x.axes.size(); ++k)
    if (k != axis && !(is_finite(x.axes[k]) && is_finite(index.axes[k])))
      widths.unify(x.axes[k], index.axes[k]);
  const std::vector<std::int64_t> along = indices(index), shape = x.shape(), steps = strides(shape);
  std::vector<std::int64_t> result;
  for_each_position(index.shape(), [&](std::vector<std::int64_t> at) {
    at[axis] = position_of(along[result.size()], shape[axis]);
    std::int64_t flat = 0;
    for (std::size_t k = 0; k < at.size(); ++k) {
      if (at[k] < 0 || at[k] >= shape[k])
        throw Refusal{"reject", "shape", "an index beyond the end of its axis"};
      flat += at[k] * steps[k];
    }
    result.push_back(flat);
  });
  return result;
}

Tensors gather(const Call& call) {
  const Tensor& x = call.tensor("self");
  const Tensor& index = call.tensor(call.given("index") ? "index" : "indices");
  const std::size_t axis = Algebra::axis_number(x, call.optional_integer("dim").value_or(0));
  Tensor result{index.axes, {}};
  for (const std::int64_t at : places(call, x, axis, index)) {
    result.cells.push_back(x.cells[static_cast<std::size_t>(at)]);
    read_where(result.cells.back(), index.cells[result.cells.size() - 1].depends);
  }
  return {result};
}

/// What is done with values that are written to a place of x.
enum class Meeting { last, sum, mean, product, largest, smallest };

/// Values to cells `to` of x. `with_own`: what is there already is one of them.
Tensor written(const Call& call, const Tensor& x, const Tensor& values, const std::vector<std::int64_t>& to,
               Meeting meeting, bool with_own = true) {
  std::vector<Cells> lists(x.cells.size());
  if (with_own)
    for (std::size_t k = 0; k < lists.size(); ++k) lists[k].push_back(x.cells[k]);
  for (std::size_t k = 0; k < to.size(); ++k)
    lists.at(static_cast<std::size_t>(to[k])).push_back(values.cells.at(k));
  std::size_t longest = 0;
  for (std::size_t k = 0; k < lists.size(); ++k) {
    if (lists[k].empty()) lists[k] = {x.cells[k]};
    if (meeting == Meeting::last) lists[k] = {lists[k].back()};
    longest = std::max(longest, lists[k].size());
  }
  Algebra& a = call.algebra();
  const auto round = [&](std::size_t r, double otherwise) {
    Tensor result{x.axes, {}};
    for (const Cells& list : lists) result.cells.push_back(r < list.size() ? list[r] : number(otherwise));
    return result;
  };
  Tensor result = round(0, 0);
  if (meeting == Meeting::sum || meeting == Meeting::mean) {
    for (std::size_t k = 0; k < lists.size(); ++k)
      for (Cell& cell : lists[k])
        if (meeting == Meeting::mean) cell = Writer::scaled(cell, 1 / static_cast<double>(lists[k].size()));
    std::vector<int> widths;
    for (const auto& w : cell_widths(x.axes)) widths.push_back(w.size() == 1 ? w[0] : finite);
    result.cells = call.writer().add(lists, widths);
    return result;
  }
  const double sign = meeting == Meeting::smallest ? -1 : 1;
  for (std::size_t r = 1; r < longest; ++r) {
    if (meeting == Meeting::product) {
      result = a.multiply(result, round(r, 1));
      continue;
    }
    const Tensor other = round(r, sign * -std::numeric_limits<double>::infinity());
    result = a.scaled(a.maximum(a.scaled(result, sign), a.scaled(other, sign)), sign);
  }
  return result;
}

/// The first entries of `source` along each axis, as many as the index has.
Tensor first_entries(const Call& call, const Tensor& source, const Tensor& index) {
  Tensor result = source;
  for (std::size_t k = 0; k < std::min(result.axes.size(), index.axes.size()); ++k) {
    const std::int64_t length = slots(index.axes[k]);
    if (!is_finite(result.axes[k]) || !is_finite(index.axes[k]) || slots(result.axes[k]) == length) continue;
    std::vector<std::int64_t> positions;
    for (std::int64_t p = 0; p < length; ++p) positions.push_back(p);
    result = call.algebra().take(result, static_cast<std::int64_t>(k), positions);
  }
  return result;
}

Tensors scatter(const Call& call, Meeting meeting) {
  const Tensor &x = call.tensor("self"), &index = call.tensor("index");
  const std::size_t axis = Algebra::axis_number(x, call.integer("dim"));
  const std::vector<std::int64_t> to = places(call, x, axis, index);
  Tensor values{index.axes, Cells(index.cells.size(), number(0.0))};
  if (call.given("src")) {
    values = first_entries(call, call.tensor("src"), index);
    for (std::size_t k = 0; k < x.axes.size(); ++k)
      call.algebra().widths().unify(values.axes.at(k), index.axes[k]);
  } else {
    for (Cell& cell : values.cells) cell = number(call.fixed("value"));
  }
  for (std::size_t k = 0; k < values.cells.size(); ++k) read_where(values.cells[k], index.cells[k].depends);
  const bool with_own = !call.given("include_self") || call.flag("include_self");
  return {written(call, x, values, to, meeting, with_own)};
}

Meeting meeting_of(const Call& call) {
  static const std::map<std::string, Meeting> known = {
      {"sum", Meeting::sum},          {"add", Meeting::sum},   {"prod", Meeting::product},
      {"multiply", Meeting::product}, {"mean", Meeting::mean}, {"amax", Meeting::largest},
      {"amin", Meeting::smallest}};
  const auto found = known.find(call.text("reduce"));
  if (found == known.end())
    throw Refusal{"reject", "argument:" + call.name(),
                  "an unknown reduction, \"" + call.text("reduce") + "\""};
  return found->second;
}

/// x with slices along an axis written to, at the indices: added, or in place of what is there.
Tensors index_write(const Call& call, Meeting meeting) {
  const Tensor& x = call.tensor("self");
  Algebra& a = call.algebra();
  const std::size_t axis = Algebra::axis_number(x, call.integer("dim"));
  const std::vector<std::int64_t> along = indices(call.tensor("index"));
  Tensor values =
      call.given("source") ? call.tensor("source") : a.take(x, static_cast<std::int64_t>(axis), along);
  if (!call.given("source"))
    for (Cell& cell : values.cells) cell = number(call.fixed("value"));
  values = a.scaled(values, call.given("alpha") ? call.number("alpha") : constant_values(1));
  for (std::size_t k = 0; k < x.axes.size(); ++k)
    if (k != axis) a.widths().unify(x.axes[k], values.axes.at(k));
  Tensor wide{values.axes, {}};
  for_each_position(values.shape(), [&](const std::vector<std::int64_t>& at) {
    wide.cells.push_back(number(static_cast<double>(along.at(static_cast<std::size_t>(at[axis])))));
  });
  if (call.given("reduce")) meeting = meeting_of(call);
  const bool with_own = !call.given("include_self") || call.flag("include_self");
  return {written(call, x, values, places(call, x, axis, wide), meeting, with_own)};
}

/// x[i₁, …] = values, or += .
Tensors index_put(const Call& call) {
  const Tensor& x = call.tensor("self");
  Tensor numbered{x.axes, {}};
  for (std::size_t k = 0; k < x.cells.size(); ++k) numbered.cells.push_back(number(static_cast<double>(k)));
  const Tensor target = at_indices(call, numbered);
  const Algebra::Broadcast both = call.algebra().broadcast({&target, &call.tensor("values")});
  if (both.cells[0].size() != target.cells.size())
    throw Refusal{"reject", "shape", "values of another shape are assigned"};
  const bool added = call.given("accumulate") && call.flag("accumulate");
  return {
      written(call, x, {both.axes, both.cells[1]}, indices(target), added ? Meeting::sum : Meeting::last)};
}

Tensors one_hot(const Call& call) {
  const Tensor& x = call.tensor("self");
  const std::int64_t classes = call.result_sizes().back()[0];
  if (!is_constant(call.result_sizes().back())) throw AxesMixed{"a one-hot vector along the width"};
  Tensor result = x;
  result.axes.push_back(finite_axis(classes));
  require_cells({static_cast<std::int64_t>(x.cells.size()), classes});
  result.cells.clear();
  const std::vector<std::int64_t> classes_of = indices(x);
  for (std::size_t k = 0; k < x.cells.size(); ++k)
    for (std::int64_t c = 0; c < classes; ++c)
      result.cells.push_back(number(constant_values(c == classes_of[k] ? 1 : 0), x.cells[k].depends));
  return {result};
}

}  // namespace

void add_index_operators(Operators& ops) {
  ops["embedding"] = embedding;
  for (const char* name :
       {"embedding_bag", "embedding_bag.padding_idx", "_embedding_bag", "_embedding_bag_forward_only"})
    ops[name] = embedding_bag;
  ops["index.Tensor"] = [](const Call& call) -> Tensors { return {at_indices(call, call.tensor("self"))}; };
  ops["index_select"] = index_select;
  ops["gather"] = ops["take_along_dim"] = gather;
  ops["scatter.src"] = ops["scatter.value"] = [](const Call& call) { return scatter(call, Meeting::last); };
  ops["scatter_add"] = [](const Call& call) { return scatter(call, Meeting::sum); };
  for (const char* name : {"scatter_reduce.two", "scatter.reduce", "scatter.value_reduce"})
    ops[name] = [](const Call& call) { return scatter(call, meeting_of(call)); };
  ops["index_add"] = [](const Call& call) { return index_write(call, Meeting::sum); };
  for (const char* name : {"index_copy", "index_reduce", "index_fill.int_Scalar"})
    ops[name] = [](const Call& call) { return index_write(call, Meeting::last); };
  ops["index_put"] = ops["_unsafe_index_put"] = index_put;
  ops["one_hot"] = one_hot;
}

}  // namespace nngpcheck::importer
