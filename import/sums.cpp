// Sums of products of tensors, and what is made of them.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "nngpcheck/import/algebra.hpp"
#include "nngpcheck/import/cell_kinds.hpp"

namespace nngpcheck::importer {

namespace {

const Size one{1, 1, 1};

/// What a label of an Einstein sum stands for.
struct Label {
  Axis axis = finite_axis(1);
  std::int64_t left = 0, right = 0;  // strides in the operands
  bool in_left = false, in_right = false;
};

const Block* as_vector_block(const Cell& cell) {
  const auto* block = std::get_if<Block>(&cell.value);
  return block && block->axes.size() == 1 ? block : nullptr;
}

/// One Einstein sum: pairs of cells by result, and what each extends over.
class Contraction {
 public:
  Contraction(Algebra& algebra, const std::string& left, const std::string& right, const std::string& result,
              const Tensor& x, const Tensor& y, bool layer)
      : algebra_(algebra), writer_(algebra.writer()), x_(x), y_(y), result_labels_(result), layer_(layer) {
    if (left.size() != x.axes.size() || right.size() != y.axes.size())
      throw Refusal{"reject", "shape", "a product of tensors of other numbers of axes"};
    read(left, x, true);
    read(right, y, false);
    for (const auto& [name, label] : labels_)
      if (result.find(name) == std::string::npos) summed_labels_ += name;
    left_labels_ = left;
    right_labels_ = right;
  }

  Tensor run() {
    Tensor result;
    for (const char name : result_labels_) result.axes.push_back(labels_.at(name).axis);
    collect(result);
    result.cells = sums(result);
    return result;
  }

 private:
  struct Pair {
    Cell x, y;
    int summed = finite, width = finite;
  };

  void read(const std::string& names, const Tensor& t, bool is_left) {
    const auto steps = strides(t.shape());
    Widths& widths = algebra_.widths();
    for (std::size_t k = 0; k < names.size(); ++k) {
      Label& label = labels_[names[k]];
      const bool broadcast = widths.size(t.axes[k]) == one;
      if (!broadcast && widths.size(label.axis) == one) {
        label.axis = t.axes[k];
      } else if (!broadcast) {
        widths.unify(label.axis, t.axes[k]);
      }
      (is_left ? label.left : label.right) += broadcast ? 0 : steps[k];
      (is_left ? label.in_left : label.in_right) = true;
    }
  }

  std::vector<std::int64_t> shape(const std::string& names) const {
    std::vector<std::int64_t> result;
    for (const char name : names) result.push_back(slots(labels_.at(name).axis));
    return result;
  }

  /// The cell of an operand as a factor of this pair: a matrix has its summed axis last.
  static Cell oriented(Cell cell, const std::vector<std::pair<char, int>>& wide, char summed) {
    return wide.size() == 2 && wide[0].first == summed ? transposed(cell) : cell;
  }

  void collect(const Tensor& result) {
    const auto out_shape = shape(result_labels_), sum_shape = shape(summed_labels_);
    std::map<char, std::vector<int>> widths;
    for (const auto& [name, label] : labels_) widths[name] = slot_widths(label.axis);
    for_each_position(out_shape, [&](const std::vector<std::int64_t>& out) {
      pairs_.emplace_back();
      std::map<char, std::int64_t> at;
      for (std::size_t k = 0; k < out.size(); ++k) at[result_labels_[k]] = out[k];
      for_each_position(sum_shape, [&](const std::vector<std::int64_t>& sum) {
        for (std::size_t k = 0; k < sum.size(); ++k) at[summed_labels_[k]] = sum[k];
        pairs_.back().push_back(pair(at, widths));
      });
    });
    (void)result;
  }

  Pair pair(const std::map<char, std::int64_t>& at, const std::map<char, std::vector<int>>& widths) const {
    std::int64_t i = 0, j = 0;
    for (const auto& [name, position] : at) {
      i += labels_.at(name).left * position;
      j += labels_.at(name).right * position;
    }
    Pair pair{x_.cells[static_cast<std::size_t>(i)], y_.cells[static_cast<std::size_t>(j)]};
    if (pair.x.is_zero() || pair.y.is_zero()) return {number(Values{}), number(Values{})};
    char summed = 0;
    const auto wide = [&](const std::string& names) {
      std::vector<std::pair<char, int>> result;
      for (const char name : names) {
        const int width = widths.at(name)[static_cast<std::size_t>(at.at(name))];
        if (width != finite) result.emplace_back(name, width);
      }
      return result;
    };
    const auto summed_over = wide(summed_labels_), over = wide(result_labels_);
    if (summed_over.size() > 1) throw Refusal{"reject", "double_sum", "a sum over two widths at once"};
    if (!summed_over.empty()) {
      summed = summed_over[0].first;
      pair.summed = summed_over[0].second;
    }
    if (over.size() > 1 && !(pair.x.is_number() || pair.y.is_number())) {
      const auto left = wide(left_labels_), right = wide(right_labels_);
      if (over.size() == 2 && summed != 0 && left.size() == 2 && right.size() == 2 && is_matrix(pair.x) &&
          is_matrix(pair.y)) {
        auto product = std::make_shared<MatrixSum>();
        const Cell x = oriented(pair.x, left, summed), y = oriented(pair.y, right, summed);
        const bool in_order =
            std::any_of(left.begin(), left.end(), [&](const auto& w) { return w.first == over[0].first; });
        product->products.push_back(in_order ? Cells{x, transposed(y)} : Cells{y, transposed(x)});
        return {{std::shared_ptr<const MatrixSum>(product), constant_values(1), false, nullptr}, number(1.0)};
      }
      if (over.size() > 2 || summed != 0 || left.size() != 1 || right.size() != 1 ||
          left[0].first == right[0].first)
        throw Refusal{"reject", "outer_product",
                      "a product that grows with n along two axes, and is not that of two vectors"};
      auto outer = std::make_shared<MatrixSum>();
      const bool in_order = left[0].first == over[0].first;
      outer->terms.emplace_back(in_order ? pair.x : pair.y, in_order ? pair.y : pair.x);
      const bool depends = pair.x.depends || pair.y.depends;
      return {{std::shared_ptr<const MatrixSum>(outer), constant_values(1), depends, nullptr}, number(1.0)};
    }
    if (over.size() == 1) pair.width = over[0].second;
    pair.x = oriented(pair.x, wide(left_labels_), summed);
    pair.y = oriented(pair.y, wide(right_labels_), summed);
    return pair;
  }

  Cells sums(const Tensor& result) {
    std::vector<int> out_widths;
    for (const auto& widths : cell_widths(result.axes))
      out_widths.push_back(widths.size() == 1 ? widths[0] : finite);
    if (const auto mixed = table_sums(out_widths)) return *mixed;
    Cells left, right, contracted_left, contracted_right;
    std::vector<int> widths, summed, contracted_widths;
    for (const auto& list : pairs_) {
      for (const Pair& p : list) {
        note_use(p);
        if (p.summed == finite) {
          left.push_back(p.x);
          right.push_back(p.y);
          widths.push_back(p.width);
        } else {
          contracted_left.push_back(p.x);
          contracted_right.push_back(p.y);
          summed.push_back(p.summed);
          contracted_widths.push_back(p.width);
        }
      }
    }
    const Cells products = writer_.multiply(left, right, widths);
    const Cells contracted = writer_.contract(contracted_left, contracted_right, summed, contracted_widths);
    note_readout(contracted);
    std::size_t i = 0, j = 0;
    std::vector<Cells> lists;
    for (const auto& list : pairs_) {
      lists.emplace_back();
      for (const Pair& p : list) lists.back().push_back(p.summed == finite ? products[i++] : contracted[j++]);
    }
    return writer_.add(lists, out_widths);
  }

  std::optional<Cells> table_sums(const std::vector<int>& widths) {
    std::vector<std::vector<std::pair<Cell, Cell>>> sums;
    bool any = false;
    for (const auto& list : pairs_) {
      sums.emplace_back();
      for (const Pair& p : list) {
        if (p.summed != finite) return {};
        const bool x_scalar = std::holds_alternative<std::shared_ptr<const Scalar>>(p.x.value);
        const bool y_scalar = std::holds_alternative<std::shared_ptr<const Scalar>>(p.y.value);
        const bool zero = p.x.is_zero() || p.y.is_zero();
        if (!zero && x_scalar == y_scalar) return {};
        any = any || !zero;
        sums.back().emplace_back(y_scalar ? p.y : p.x, y_scalar ? p.x : p.y);
      }
    }
    return any ? writer_.mix_by_table(sums, widths) : std::nullopt;
  }

  void note_use(const Pair& p) {
    if (p.summed != finite || summed_labels_.empty()) return;
    for (const auto& [cell, other] : {std::pair(&p.x, &p.y), std::pair(&p.y, &p.x)}) {
      const Block* block = as_vector_block(*cell);
      if (block && !std::holds_alternative<Column>(other->value))
        writer_.report().usage()[writer_.archive().graphs[0].inputs[block->input].target].contracted = true;
    }
  }

  /// If a parameter read features out, which ones.
  void note_readout(const Cells& contracted) {
    const auto is_random = [](const Cell& c) {
      const auto* random = std::get_if<std::shared_ptr<const Random>>(&c.value);
      return random && (*random)->readout >= 0;
    };
    if (std::none_of(contracted.begin(), contracted.end(), is_random)) return;
    bool of_left = false;
    const Block* block = nullptr;
    for (const auto& list : pairs_) {
      for (const Pair& p : list) {
        if (p.summed == finite || block) continue;
        of_left = as_vector_block(p.x) != nullptr;
        block = of_left ? as_vector_block(p.x) : as_vector_block(p.y);
      }
    }
    if (!block) return;
    Readout readout;
    readout.input = block->input;
    readout.plain = layer_;
    for (std::size_t g = 0; g < width_count; ++g) {
      const Law& law = writer_.archive().graphs[g].inputs[block->input].law;
      readout.variance[g] =
          law.kind == Law::Kind::mixed || law.kind == Law::Kind::unknown ? 0 : law.variance();
    }
    writer_.report().usage()[writer_.archive().graphs[0].inputs[block->input].target].read_out = true;
    const auto out_shape = shape(result_labels_);
    std::vector<bool> own;  // axes of the result that only the parameter has
    for (const char name : result_labels_) {
      const Label& label = labels_.at(name);
      own.push_back(of_left ? !label.in_right : !label.in_left);
    }
    std::size_t row = 0;
    for_each_position(out_shape, [&](const std::vector<std::int64_t>& at) {
      const auto& list = pairs_[row++];
      for (std::size_t k = 0; k < at.size(); ++k)
        if (own[k] && at[k] != 0) return;
      if (readout.x.empty()) {
        readout.x.resize(list.size());
        readout.widths.assign(list.size(), finite);
      }
      for (std::size_t b = 0; b < list.size(); ++b) {
        readout.x[b].push_back(of_left ? list[b].y : list[b].x);
        if (list[b].summed != finite) readout.widths[b] = list[b].summed;
      }
    });
    writer_.readouts().push_back(std::move(readout));
  }

  Algebra& algebra_;
  Writer& writer_;
  const Tensor &x_, &y_;
  std::string result_labels_, summed_labels_, left_labels_, right_labels_;
  std::map<char, Label> labels_;
  std::vector<std::vector<Pair>> pairs_;
  bool layer_;
};

}  // namespace

Tensor Algebra::einsum(const std::string& left, const std::string& right, const std::string& result,
                       const Tensor& x, const Tensor& y, bool layer) {
  return Contraction(*this, left, right, result, x, y, layer).run();
}

Tensor Algebra::sum(const Tensor& x, std::vector<std::size_t> axes, bool keep) {
  std::string labels, rest;
  std::vector<std::int64_t> removed;
  for (std::size_t k = 0; k < x.axes.size(); ++k) {
    const char label = static_cast<char>('A' + k);
    labels += label;
    if (std::find(axes.begin(), axes.end(), k) == axes.end()) rest += label;
  }
  Tensor result = einsum(labels, "", rest, x, scalar(constant_values(1)));
  if (keep) {
    std::sort(axes.begin(), axes.end());
    for (const std::size_t k : axes) result = unsqueeze(result, static_cast<std::int64_t>(k));
  }
  return result;
}

Tensor Algebra::softmax(const Tensor& x, std::int64_t axis) {
  const std::size_t k = axis_number(x, axis);
  bool vectors = !is_finite(x.axes[k]), randoms = false;
  for (std::size_t a = 0; a < x.axes.size(); ++a) vectors = vectors || !is_finite(x.axes[a]);
  for (const Cell& c : x.cells)
    randoms = randoms || std::holds_alternative<std::shared_ptr<const Random>>(c.value);
  if (vectors) {
    const Tensor e = map("exp", x);
    Tensor total = sum(e, {k}, true);
    if (is_finite(x.axes[k])) return divide(e, total);
    // Over the width: every entry is of order 1/n.
    const Values n = values_of(widths().size(x.axes[k]));
    total = scaled(total, constant_values(1) / n);
    Tensor result = scaled(divide(e, total), constant_values(1) / n);
    for (Cell& c : result.cells) c.blame = writer_.report().name("softmax_width");
    return result;
  }
  const Tensor last = transpose(x, static_cast<std::int64_t>(k), -1);
  const auto length = static_cast<std::size_t>(slots(x.axes[k]));
  if (length == 0) throw Refusal{"reject", "shape", "a softmax over nothing"};
  std::vector<Cells> lines;
  for (std::size_t i = 0; i < last.cells.size(); i += length)
    lines.emplace_back(last.cells.begin() + static_cast<std::ptrdiff_t>(i),
                       last.cells.begin() + static_cast<std::ptrdiff_t>(i + length));
  Tensor result{last.axes, {}};
  if (randoms) {
    for (const Cells& line : lines) {
      for (std::size_t i = 0; i < length; ++i) {
        result.cells.push_back(writer_.random(
            [i](const std::vector<double>& v) {
              double largest = *std::max_element(v.begin(), v.end()), total = 0;
              for (const double s : v) total += std::exp(s - largest);
              return std::exp(v[i] - largest) / total;
            },
            line));
      }
    }
  } else {
    for (const Cells& line : writer_.softmax(lines))
      result.cells.insert(result.cells.end(), line.begin(), line.end());
  }
  return transpose(result, static_cast<std::int64_t>(k), -1);
}

Tensor Algebra::log_softmax(const Tensor& x, std::int64_t axis) {
  const Tensor p = softmax(x, axis);
  return function("log", p);
}

Tensor Algebra::normalise(const Tensor& x, const std::vector<std::size_t>& axes, double epsilon,
                          bool centered) {
  bool over_width = false;
  for (const std::size_t k : axes) over_width = over_width || !is_finite(x.axes[k]);
  const bool numbers =
      std::all_of(x.cells.begin(), x.cells.end(), [](const Cell& c) { return c.is_number(); });
  if (!over_width && centered && !numbers) {
    std::map<std::vector<std::int64_t>, int> groups;
    std::vector<int> group, widths;
    for_each_position(x.shape(), [&](std::vector<std::int64_t> at) {
      for (const std::size_t k : axes) at[k] = 0;
      group.push_back(groups.try_emplace(at, static_cast<int>(groups.size())).first->second);
    });
    for (const auto& w : cell_widths(x.axes)) widths.push_back(w.size() == 1 ? w[0] : finite);
    return {x.axes, writer_.standardize(x.cells, group, widths, epsilon)};
  }
  const Tensor c = centered ? add(x, mean(x, axes, true), constant_values(-1)) : x;
  std::string labels, rest;
  for (std::size_t k = 0; k < x.axes.size(); ++k) {
    labels += static_cast<char>('A' + k);
    if (std::find(axes.begin(), axes.end(), k) == axes.end()) rest += static_cast<char>('A' + k);
  }
  Tensor variance = scaled(einsum(labels, labels, rest, c, c), constant_values(1) / count(x, axes));
  std::vector<std::size_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  for (const std::size_t k : sorted) variance = unsqueeze(variance, static_cast<std::int64_t>(k));
  return multiply(c, rsqrt(variance, epsilon));
}

}  // namespace nngpcheck::importer
