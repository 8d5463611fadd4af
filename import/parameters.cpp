// How parameters become random objects.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "nngpcheck/import/writer.hpp"

namespace nngpcheck::importer {

using netsor::Index;

std::vector<Range> slot_ranges(const Axis& axis, const Widths& widths, std::size_t graph) {
  std::vector<Range> result;
  std::int64_t start = 0;
  for (const Group& group : axis) {
    const std::int64_t count = group.width == finite ? 1 : widths.size(group.width)[graph];
    for (std::int64_t p = 0; p < group.inner; ++p) result.push_back({start + p, group.inner, count});
    start += count * group.inner;
  }
  return result;
}

std::vector<std::vector<int>> cell_widths(const std::vector<Axis>& axes) {
  std::vector<std::vector<int>> by_axis;
  std::vector<std::int64_t> shape;
  for (const Axis& axis : axes) {
    by_axis.push_back(slot_widths(axis));
    shape.push_back(slots(axis));
  }
  std::vector<std::vector<int>> result;
  for_each_position(shape, [&](const std::vector<std::int64_t>& at) {
    result.emplace_back();
    for (std::size_t k = 0; k < at.size(); ++k) {
      const int width = by_axis[k][static_cast<std::size_t>(at[k])];
      if (width != finite) result.back().push_back(width);
    }
  });
  return result;
}

Cell transposed(Cell cell) {
  if (auto* block = std::get_if<Block>(&cell.value); block && block->axes.size() == 2) {
    std::swap(block->axes[0], block->axes[1]);
  } else if (const auto* outer = std::get_if<std::shared_ptr<const MatrixSum>>(&cell.value)) {
    auto swapped = std::make_shared<MatrixSum>(**outer);
    for (auto& [u, v] : swapped->terms) std::swap(u, v);
    for (auto& product : swapped->products) {
      std::reverse(product.begin(), product.end());
      for (Cell& matrix : product) matrix = transposed(matrix);
    }
    cell.value = std::shared_ptr<const MatrixSum>(swapped);
  }
  return cell;
}

void require_cells(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t length : shape) {
    if (length < 0 || length > most_cells)
      throw std::length_error("a tensor with too many entries beside the width");
    count *= length;
    if (count > most_cells) throw std::length_error("a tensor with too many entries beside the width");
  }
}

std::vector<std::int64_t> strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> result(shape.size(), 1);
  for (std::size_t k = shape.size(); k-- > 1;) result[k - 1] = result[k] * shape[k];
  return result;
}

namespace {

/// The position of a slot along each axis.
std::vector<std::int64_t> position(std::int64_t slot, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> result(shape.size());
  for (std::size_t k = shape.size(); k-- > 0; slot /= shape[k]) result[k] = slot % shape[k];
  return result;
}

}  // namespace

/// The numbers of the entries of a block in the graph's array, its first width slowest.
std::vector<std::int64_t> Writer::entries(const Block& block, std::size_t graph) const {
  const Tensor& tensor = loaded_.at(block.input);
  const Numbers& numbers = archive_.graphs[graph].inputs[block.input].numbers;
  const auto at = position(block.slot, tensor.shape());
  const auto steps = strides(numbers.shape);
  std::int64_t start = 0;
  std::vector<Range> ranges;
  for (std::size_t k = 0; k < at.size(); ++k) {
    const Range range = slot_ranges(tensor.axes[k], widths_, graph)[static_cast<std::size_t>(at[k])];
    start += range.start * steps[k];
    ranges.push_back({0, range.stride * steps[k], range.count});
  }
  std::vector<std::int64_t> result = {start};
  for (const int axis : block.axes) {
    const Range& range = ranges[static_cast<std::size_t>(axis)];
    std::vector<std::int64_t> longer;
    for (const std::int64_t e : result)
      for (std::int64_t i = 0; i < range.count; ++i) longer.push_back(e + i * range.stride);
    result = std::move(longer);
  }
  return result;
}

Law Writer::law(const Block& block, std::size_t graph) const {
  const Law& whole = archive_.graphs[graph].inputs[block.input].law;
  if (whole.kind != Law::Kind::mixed) return whole;
  const auto all = entries(block, graph);
  const std::uint8_t first = whole.map[static_cast<std::size_t>(all[0])];
  for (const std::int64_t e : all) {
    if (whole.map[static_cast<std::size_t>(e)] != first) {
      const std::string& target = archive_.graphs[0].inputs[block.input].target;
      throw Refusal{"outside", "mixed_law:" + target,
                    "`" + target + "` has entries of different laws along the width"};
    }
  }
  return whole.laws[first];
}

/// The block's constant, if its entries are equal at each width, or `otherwise`.
Cell Writer::constant(const Block& block, bool depends, const Cell& otherwise) const {
  Values values;
  for (std::size_t g = 0; g < width_count; ++g) {
    const std::vector<double>& numbers = numbers_of(block.input, g);
    const auto all = entries(block, g);
    values[g] = numbers[static_cast<std::size_t>(all[0])];
    for (const std::int64_t e : all)
      if (numbers[static_cast<std::size_t>(e)] != values[g]) return otherwise;
  }
  return number(values, depends);
}

Tensor Writer::load(std::size_t input) {
  const GraphInput& first = archive_.graphs[0].inputs[input];
  if (!first.same_as.empty()) {
    for (std::size_t k = 0; k < input; ++k) {
      if (archive_.graphs[0].inputs[k].name == first.same_as) {
        if (first.numbers.shape.size() > 1)
          report_.add("identical_copies:" + first.target, "`" + first.target + "` has the same numbers as `" +
                                                              archive_.graphs[0].inputs[k].target +
                                                              "`: one random matrix, used twice");
        return load(k);
      }
    }
  }
  if (!first.shares_with.empty()) {
    throw Refusal{"outside", "shared_numbers:" + first.target,
                  "`" + first.target + "` holds some of the random numbers of `" + first.shares_with[0] +
                      "` in another way (a transpose, or a scaled copy)"};
  }
  const auto found = loaded_.find(input);
  if (found != loaded_.end()) return found->second;
  Tensor tensor;
  for (std::size_t k = 0; k < first.numbers.shape.size(); ++k) {
    Size size;
    for (std::size_t g = 0; g < width_count; ++g) size[g] = archive_.graphs[g].inputs[input].numbers.shape[k];
    tensor.axes.push_back(widths_.axis(first.name, k, size));
  }
  loaded_[input] = tensor;
  std::int64_t slot = 0;
  std::vector<std::vector<int>> by_axis;
  for (const Axis& axis : tensor.axes) by_axis.push_back(slot_widths(axis));
  const bool random = !first.given && first.law.kind != Law::Kind::constant;
  for_each_position(tensor.shape(), [&](const std::vector<std::int64_t>& at) {
    Block block{input, slot++, {}};
    for (std::size_t k = 0; k < at.size(); ++k)
      if (by_axis[k][static_cast<std::size_t>(at[k])] != finite) block.axes.push_back(static_cast<int>(k));
    if (block.axes.size() > 2) {
      throw Refusal{"reject", "three_widths:" + first.target,
                    "`" + first.target + "` grows with n along three axes"};
    }
    const Cell cell = {block, constant_values(1), first.given, nullptr};
    tensor.cells.push_back(random ? cell : constant(block, first.given, cell));
  });
  loaded_[input] = tensor;
  return tensor;
}

/// "w", or "w[:, n:]" for a part of it.
const std::string* Writer::slice(const Block& block) {
  const Tensor& tensor = loaded_.at(block.input);
  const auto at = position(block.slot, tensor.shape());
  std::string text;
  bool whole = true;
  for (std::size_t k = 0; k < at.size(); ++k) {
    const Axis& axis = tensor.axes[k];
    std::string part = ":";
    Size start{};
    std::int64_t slot = 0;
    for (const Group& group : axis) {
      const Size size = widths_.size(Axis{group});
      if (at[k] < slot + group.inner && axis.size() > 1) {
        const Size end = {start[0] + size[0], start[1] + size[1], start[2] + size[2]};
        part = (start == Size{} ? "" : importer::text(start, widths_.n())) + ":" +
               (end == widths_.size(axis) ? "" : importer::text(end, widths_.n()));
        whole = false;
      }
      if (at[k] < slot + group.inner) break;
      slot += group.inner;
      for (std::size_t g = 0; g < width_count; ++g) start[g] += size[g];
    }
    text += (k == 0 ? "" : ", ") + part;
  }
  const std::string& target = archive_.graphs[0].inputs[block.input].target;
  bool mixed = false;  // only axes of widths and finite positions are worth a slice
  for (const Axis& axis : tensor.axes) {
    mixed = mixed || (!is_finite(axis) && std::any_of(axis.begin(), axis.end(),
                                                      [](const Group& g) { return g.width == finite; }));
  }
  return report_.name(whole || !mixed ? target : target + "[" + text + "]");
}

Values Writer::deviations(const Block& block, Values& means) const {
  Values result;
  const std::string& target = archive_.graphs[0].inputs[block.input].target;
  for (std::size_t g = 0; g < width_count; ++g) {
    const Law one = law(block, g);
    if (one.kind == Law::Kind::constant) {
      const std::string kind = block.axes.size() == 2 ? "constant_matrix:" : "constant_varies_along_width:";
      throw Refusal{
          "outside", kind + target,
          "`" + target + "` is a constant that varies along the width: its coordinates have no law"};
    }
    if (one.kind == Law::Kind::unknown) {
      const bool orthogonal = one.reason.find("qr") != std::string::npos ||
                              one.reason.find("orthogonal") != std::string::npos ||
                              one.reason.find("householder") != std::string::npos;
      throw Refusal{"outside", (orthogonal ? "orthogonal:" : "unknown_law:") + target,
                    orthogonal ? "`" + target + "` is orthogonal: its entries are not independent"
                               : "the law of `" + target + "` is not known (" + one.reason + ")"};
    }
    means[g] = one.expectation();
    result[g] = std::sqrt(one.variance());
  }
  return result;
}

namespace {

/// The variance of an object, and what its entries are multiplied by to be those of the model.
struct Normalised {
  double variance = 1;
  Values factor = constant_values(1);
  double power = 0;
  std::optional<netsor::Activation> map = {};  // of the object, which is normal
};

Normalised normalised(const Values& deviations, const Values& fan_in, const Size& n) {
  const Values variance = deviations * deviations * fan_in;
  const auto g = growth(variance, n);
  Normalised result;
  result.power = g ? g->power : 0;
  if (g && g->power == 0) result.variance = g->limit;
  for (std::size_t i = 0; i < width_count; ++i) {
    result.factor[i] = std::sqrt(variance[i] / result.variance);
    if (std::abs(result.factor[i] - 1) < 1e-12) result.factor[i] = 1;
  }
  return result;
}

/// Uniform numbers between m − a and m + a are m + a·erf(z), z ~ N(0, ½). Without a mean, a is the factor.
void uniform_from_normal(Normalised& law, const Values& deviation, const Values& mean, const Size& n) {
  const double half_range = std::sqrt(3.0);  // over the deviation
  law.variance = 0.5;
  if (all_zero(mean)) {
    law.map = netsor::Activation::named("erf");
    law.factor = deviation * constant_values(half_range);
    return;
  }
  const double m = growth(mean, n)->limit, a = half_range * growth(deviation, n)->limit;
  law.map = netsor::Activation::from_expression(fmt::format("{} + {}*erf(x)", m, a));
  law.factor = constant_values(1);
}

}  // namespace

void Writer::create_vectors(std::size_t input) {
  const Tensor tensor = loaded_.at(input);
  const GraphInput& source = archive_.graphs[0].inputs[input];
  struct Kind {
    std::string width;
    Values deviation, mean;
    Law::Kind law;
    auto operator<=>(const Kind&) const = default;
  };
  std::map<Kind, std::vector<Block>> kinds;
  std::map<std::string, int> width_numbers;
  const auto widths = cell_widths(tensor.axes);
  for (std::size_t k = 0; k < tensor.cells.size(); ++k) {
    const Block* block = std::get_if<Block>(&tensor.cells[k].value);
    if (!block || block->axes.size() != 1) continue;
    VectorObject& object = vectors_[{input, block->slot}];
    if (law(*block, 0).kind == Law::Kind::constant) {
      object.cell = constant(*block, false, tensor.cells[k]);
      if (object.cell.is_number()) continue;
    }
    Kind kind{width(widths[k][0]).text(),
              {},
              {},
              law(*block, 0).is_normal() ? Law::Kind::normal : law(*block, 0).kind};
    kind.deviation = deviations(*block, kind.mean);
    width_numbers[kind.width] = widths[k][0];
    kinds[kind].push_back(*block);
  }
  int number_of_kind = 0;
  for (const auto& [kind, blocks] : kinds) {
    Normalised law_of = normalised(kind.deviation, constant_values(1), widths_.n());
    const bool normal = kind.law == Law::Kind::normal || law_of.power < 0;
    const std::string name =
        kinds.size() == 1 ? source.target : source.target + "[" + std::to_string(number_of_kind++) + "]";
    if (!normal) {
      if (kind.law != Law::Kind::uniform) report_.has_no_kernel(source.target);
      report_.add("non_gaussian_input:" + source.target,
                  "`" + source.target + "` is " + law(blocks[0], 0).name() +
                      ", not Gaussian: the limit depends on that, as it is added up over a finite fan-in");
    }
    const bool has_mean = !all_zero(kind.mean);
    if (has_mean && (law_of.power != 0 || growth(kind.mean, widths_.n()).value_or(Growth{1, 0}).power != 0))
      throw Refusal{"outside", "nonzero_mean:" + source.target,
                    "`" + source.target + "` has a mean that depends on n"};
    const bool uniform = !normal && kind.law == Law::Kind::uniform;
    if (uniform) uniform_from_normal(law_of, kind.deviation, kind.mean, widths_.n());
    const Cell like = {{}, law_of.factor, false, law_of.power == 0 ? nullptr : slice(blocks[0])};
    const netsor::Width size = width(width_numbers[kind.width]);
    if (blocks.size() == 1 || has_mean) {
      for (std::size_t k = 0; k < blocks.size(); ++k) {
        const std::string own = blocks.size() == 1 ? name : name + "[" + std::to_string(k) + "]";
        const double mean = has_mean && !uniform ? growth(kind.mean, widths_.n())->limit : 0;
        VectorObject& object = vectors_[{input, blocks[k].slot}];
        object.column = builder_.column(builder_.bias({own, size, law_of.variance, mean}));
        if (uniform) object.column = builder_.map(*law_of.map, *object.column);
        object.cell = like;
        object.cell.blame = law_of.power == 0 ? nullptr : slice(blocks[k]);
        objects_[own] = {
            {blocks[k], law_of.factor, uniform, kind.mean, kind.deviation * constant_values(std::sqrt(3.0))}};
      }
      continue;
    }
    const auto count = static_cast<Index>(blocks.size());
    const netsor::InputWeightId matrix =
        builder_.input_weight({name, size, count, law_of.variance * static_cast<double>(count)});
    vectors_count_[matrix] = blocks.size();
    if (uniform) maps_.emplace(matrix, *law_of.map);
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      VectorObject& object = vectors_[{input, blocks[k].slot}];
      object.matrix = matrix;
      object.row = static_cast<Index>(k);
      object.cell = like;
      object.cell.blame = law_of.power == 0 ? nullptr : slice(blocks[k]);
      objects_[name].push_back(
          {blocks[k], law_of.factor, uniform, kind.mean, kind.deviation * constant_values(std::sqrt(3.0))});
    }
  }
}

/// Parameters along one width are columns instead.
Cells Writer::vectors(const Cells& cells) {
  Cells result = cells;
  std::map<netsor::InputWeightId, std::map<Index, std::vector<std::size_t>>> rows;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const Block* block = std::get_if<Block>(&cells[k].value);
    if (!block || block->axes.size() != 1) continue;
    const std::pair<std::size_t, std::int64_t> key = {block->input, block->slot};
    report_.usage()[archive_.graphs[0].inputs[block->input].target].vector = true;
    if (!vectors_.contains(key)) create_vectors(block->input);
    const VectorObject& object = vectors_.at(key);
    result[k].factor = cells[k].factor * object.cell.factor;
    result[k].blame = object.cell.blame ? object.cell.blame : cells[k].blame;
    if (object.column) {
      result[k].value = Column{*object.column, 0};
    } else if (object.matrix) {
      rows[*object.matrix][object.row].push_back(k);
    } else {
      result[k].value = std::monostate();
    }
  }
  for (const auto& [matrix, members] : rows) {
    const auto count = static_cast<Index>(members.size());
    Eigen::MatrixXd data = Eigen::MatrixXd::Zero(static_cast<Index>(vectors_count_.at(matrix)), count);
    std::vector<Index> ones_at;
    for (const auto& [row, where] : members) {
      data(row, static_cast<Index>(ones_at.size())) = 1;
      for (const std::size_t k : where)
        result[k].value = Column{netsor::BundleId(0, 0), static_cast<Index>(ones_at.size())};
      ones_at.push_back(row);
    }
    netsor::BundleId bundle = builder_.input(matrix, std::move(data));
    if (const auto map = maps_.find(matrix); map != maps_.end()) {
      bundle = builder_.map(map->second, bundle);
    } else {
      pure_inputs_.insert_or_assign(bundle, std::pair(matrix, ones_at));
    }
    for (const auto& [row, where] : members)
      for (const std::size_t k : where) std::get<Column>(result[k].value).bundle = bundle;
  }
  return result;
}

/// The width of a block's axis.
int Writer::width_along(const Block& block, std::size_t axis) const {
  const Tensor& tensor = loaded_.at(block.input);
  const auto k = static_cast<std::size_t>(block.axes.at(axis));
  return slot_widths(tensor.axes[k])[static_cast<std::size_t>(position(block.slot, tensor.shape())[k])];
}

const Writer::Matrix& Writer::matrix(const Block& block) {
  const std::pair<std::size_t, std::int64_t> key = {block.input, block.slot};
  const auto found = matrices_.find(key);
  const GraphInput& source = archive_.graphs[0].inputs[block.input];
  if (found != matrices_.end()) {
    if (found->second.summed != block.axes[1]) {
      throw Refusal{"outside", "transpose:" + source.target,
                    "`" + source.target +
                        "` is used together with its transpose; the theorem of NETSOR does not cover that"};
    }
    return found->second;
  }
  Values means;
  const Values deviation = deviations(block, means);
  if (!all_zero(means))
    throw Refusal{"outside", "nonzero_mean:" + source.target,
                  "the entries of `" + source.target + "` do not have mean 0"};
  const Tensor& tensor = loaded_.at(block.input);
  const auto at = position(block.slot, tensor.shape());
  const int rows = width_along(block, 0), columns = width_along(block, 1);
  const Normalised law_of = normalised(deviation, values_of(widths_.size(columns)), widths_.n());
  std::string name = source.target;
  if (tensor.cells.size() > 1) {
    name += "[";
    for (std::size_t k = 0; k < at.size(); ++k)
      if (slots(tensor.axes[k]) > 1) name += (name.back() == '[' ? "" : ",") + std::to_string(at[k]);
    name += "]";
  }
  const Matrix result = {builder_.weight({name, width(rows), width(columns), law_of.variance}), law_of.factor,
                         law_of.power == 0 ? nullptr : slice(block), block.axes[1]};
  objects_[name] = {{block, law_of.factor}};
  if (law_of.power > 0) report_.is_heavy(source.target);
  return matrices_.emplace(key, result).first->second;
}

bool Writer::is_readout(const Block& block) const {
  const auto found = report_.usage().find(archive_.graphs[0].inputs[block.input].target);
  return found == report_.usage().end() || !found->second.vector;
}

}  // namespace nngpcheck::importer
