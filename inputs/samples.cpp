#include "nngpcheck/inputs/samples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::inputs {

namespace {

using Eigen::Index;
using Kind = Form::Kind;
using Shape = files::Array::Shape;

constexpr std::size_t most_grid_axes = 3;
const std::string both_layouts =
    "layout = \"channels_first\" (PyTorch) or layout = \"channels_last\" (TensorFlow, JAX)";

std::string times(const Shape& shape) { return fmt::format("{}", fmt::join(shape, "×")); }

/// One way to read a sample's axes.
struct Reading {
  Shape grid;
  Index channels;

  bool has_equal_axes() const {
    return std::all_of(grid.begin(), grid.end(), [&](Index length) { return length == grid[0]; });
  }
  bool has_usual_channels() const { return channels == 1 || channels == 3; }
};

Reading reading(const Shape& sample, Layout layout) {
  if (layout == Layout::channels_first) return {{sample.begin() + 1, sample.end()}, sample.front()};
  return {{sample.begin(), sample.end() - 1}, sample.back()};
}

/// The layout of images, if it is sure.
std::optional<Layout> sure_layout(const Shape& sample) {
  const Reading first = reading(sample, Layout::channels_first),
                last = reading(sample, Layout::channels_last);
  if (first.has_equal_axes() != last.has_equal_axes())
    return first.has_equal_axes() ? Layout::channels_first : Layout::channels_last;
  if (first.has_usual_channels() != last.has_usual_channels())
    return first.has_usual_channels() ? Layout::channels_first : Layout::channels_last;
  return std::nullopt;
}

class Deduction {
 public:
  Deduction(const Samples& samples, const FormKeys& keys)
      : array_(samples.array), keys_(keys), known_images_(samples.images), sample_(array_.sample_shape()) {}

  Form form() const {
    if (sample_.empty()) {
      fail(
          "one number per row, which is an array of labels, or lacks an axis; save it.reshape(-1, 1) for "
          "inputs of one "
          "number, it.reshape(1, -1) for one input");
    }
    if (sample_.size() > most_grid_axes + 1)
      fail("images have at most three axes and channels; save it with fewer axes");
    if (keys_.lengths && (sample_.size() != 2 || keys_.grid))
      fail("lengths are those of sequences, an array of shape (samples, tokens, numbers); leave lengths out");
    if (sample_.size() == 1) return rows();
    if (keys_.flat.value_or(reads_vectors())) return {Kind::vectors};
    if (keys_.grid) return on_grid(*keys_.grid);
    return sample_.size() == 2 && !keys_.layout ? two_axes() : images();
  }

 private:
  bool reads_vectors() const {
    return keys_.reads == "vectors" && !keys_.grid && !keys_.layout && !keys_.lengths &&
           (sample_.size() > 2 || are_pictures());
  }

  /// Without channels: bytes of a file of images, or square ones.
  bool are_pictures() const {
    const files::NumberType& type = array_.type();
    const bool byte = type.kind == files::NumberType::Kind::unsigned_integer && type.bytes == 1;
    return sample_.size() == 2 && (known_images_ || (byte && sample_[0] == sample_[1]));
  }

  Form rows() const {
    if (!keys_.grid) {
      if (keys_.layout)
        fail("rows of numbers have no layout without a grid; add grid = [8, 8], or leave layout out");
      return {Kind::vectors};
    }
    if (keys_.flat.value_or(false)) return {Kind::vectors};
    Index channels = sample_[0];  // dividing instead of multiplying: the product may overflow
    for (const Index extent : *keys_.grid) {
      if (channels % extent != 0) {
        throw InputError(fmt::format(
            "inputs.grid = [{}]: a row of the file holds {} numbers, no multiple of {}; give a grid whose "
            "positions times channels are that",
            fmt::join(*keys_.grid, ", "), sample_[0], fmt::join(*keys_.grid, "·")));
      }
      channels /= extent;
    }
    Form result{Kind::grid, *keys_.grid, keys_.layout.value_or(Layout::channels_first)};
    if (!keys_.layout && channels > 1 && channels < sample_[0]) {
      result.doubt = fmt::format(
          "{}: rows of {} numbers on a grid of {} positions are read as {} channels, channel by channel; "
          "write {}",
          array_.name(), sample_[0], sample_[0] / channels, channels, both_layouts);
    }
    return result;
  }

  Form two_axes() const {
    const bool square = sample_[0] == sample_[1];
    if (keys_.lengths || keys_.reads == "sequences") return {Kind::sequences};
    if (are_pictures() || (keys_.reads == "grids" && square)) return {Kind::grid, sample_};
    if (keys_.reads != "grids" && !square) return {Kind::sequences};
    fail(fmt::format(
        "these may be images of one channel, sequences or signals; write grid = [{0}, {1}] for images of "
        "{0}×{1}, layout = \"channels_last\" for {0} positions or tokens of {1} numbers, layout = "
        "\"channels_first\" for {1} positions of {0} channels, or flat = true for vectors",
        sample_[0], sample_[1]));
  }

  Form images() const {
    const std::optional<Layout> layout = keys_.layout ? keys_.layout : sure_layout(sample_);
    if (layout) return {Kind::grid, reading(sample_, *layout).grid, *layout};
    const Reading first = reading(sample_, Layout::channels_first),
                  last = reading(sample_, Layout::channels_last);
    fail(fmt::format("these may be {} channels on {}, or {} on {}; write {}", first.channels,
                     times(first.grid), last.channels, times(last.grid), both_layouts));
  }

  Form on_grid(const Shape& grid) const {
    if (sample_ == grid) return {Kind::grid, grid};
    std::vector<Layout> fitting;
    for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
      const bool asked = !keys_.layout || *keys_.layout == layout;
      if (asked && reading(sample_, layout).grid == grid) fitting.push_back(layout);
    }
    if (fitting.size() == 1) return {Kind::grid, grid, fitting[0]};
    const std::string given = fmt::format("the grid [{}]", fmt::join(grid, ", "));
    if (fitting.empty())
      fail(given + " is not what its axes say" + (keys_.layout ? " in this layout" : "") + "; leave it out");
    fail(given + " fits with the channels first and last; write " + both_layouts);
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw InputError(
        fmt::format("{}: an array of shape {}: {}", array_.name(), array_.shape_text(), problem));
  }

  const files::Array& array_;
  const FormKeys& keys_;
  bool known_images_;
  Shape sample_;
};

}  // namespace

Samples read_samples(const std::filesystem::path& file, const TableFormat& format) {
  auto contents = files::read_data_file(file);
  if (const auto* text = std::get_if<files::TextFile>(&contents)) {
    Table table = parse_table(*text, format);
    return {.array = std::move(table.numbers),
            .is_table = true,
            .texts = std::move(table.texts),
            .lengths = std::move(table.lengths),
            .said = std::move(table.said)};
  }
  files::ArrayFile& found = std::get<files::ArrayFile>(contents);
  std::string said = "an array of " + found.array.type().name() + ", shape " + found.array.shape_text();
  return {
      .array = std::move(found.array), .range = found.range, .images = found.images, .said = std::move(said)};
}

Form form_of(const Samples& samples, const FormKeys& keys) { return Deduction(samples, keys).form(); }

Inputs make_inputs(const Samples& samples, const Form& form, const Selection& selection,
                   const std::vector<Index>& lengths, std::optional<std::pair<double, double>> range) {
  Eigen::MatrixXd columns = samples.array.samples(selection.first, selection.count);
  if (!range) range = samples.range;
  if (range) columns = (columns.array() * (range->second - range->first) / 255 + range->first).matrix();
  if (form.kind == Kind::grid) return as_grids(columns, form.grid, form.layout);
  if (form.kind == Kind::sequences) {
    const Shape& shape = samples.array.shape();
    const std::vector<Index> all(static_cast<std::size_t>(selection.count), shape[1]);
    return as_sequences(columns, shape[2], lengths.empty() ? all : lengths);
  }
  const auto first = samples.texts.begin() + (samples.texts.empty() ? 0 : selection.first);
  const auto last = samples.texts.empty() ? first : first + selection.count;
  return as_vectors(std::move(columns), {first, last});
}

Inputs tokens(const Samples& samples) {
  Inputs result;
  result.data = samples.array.samples(0, samples.array.count());
  result.labels = samples.texts;
  result.lengths = samples.lengths;
  return result;
}

}  // namespace nngpcheck::inputs
