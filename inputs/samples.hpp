// Private to config/: what a file of inputs holds, and what its samples are.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/files/array.hpp"
#include "nngpcheck/files/data_file.hpp"
#include "nngpcheck/inputs/grid.hpp"
#include "nngpcheck/inputs/table.hpp"

namespace nngpcheck::inputs {

/// The samples in a file, arrays and tables alike.
struct Samples {
  files::Array array;
  bool is_table = false;
  std::optional<std::pair<double, double>> range = {};  // see ArrayFile
  bool images = false;
  std::vector<std::string> texts = {};     // see Table
  std::vector<Eigen::Index> lengths = {};  // see Table
  std::string said = {};                   // how the file was read
};

/// Reads a data file (see read_data_file); `format` is for tables. Throws InputError.
Samples read_samples(const std::filesystem::path& file, const TableFormat& format = {});

/// What one sample is.
struct Form {
  enum class Kind { vectors, grid, sequences };
  Kind kind = Kind::vectors;
  std::vector<Eigen::Index> grid = {};  // of a grid
  Layout layout = Layout::channels_first;
  std::string doubt = {};  // what was assumed without being sure, and what to write instead
};

/// What the experiment says about it.
struct FormKeys {
  std::optional<std::vector<Eigen::Index>> grid = {};
  std::optional<Layout> layout = {};
  std::optional<bool> flat = {};
  bool lengths = false;  // lengths of sequences are given
  std::string reads =
      {};  // what the architecture reads: "vectors", "sequences", "grids", "graph"; or nothing
};

/// By the shape of the array, the first axis of which counts samples:
///   - (N, d): vectors; with a grid of P positions d/P channels on it. Without a layout, channels first, and
///   a doubt if there
///     are several.
///   - (N, T, d): sequences of T tokens; where that is not sure (T = d, or a CNN), the keys must say it.
///   Bytes that are
///     square, or of a file of images, are images of one channel.
///   - (N, C, H, W) or (N, H, W, C), and with three axes for 3 positions: images. Which of them is sure if
///   one reading has
///     equal axes and the other has not, or 1 or 3 channels and the other has not; otherwise the layout must
///     be given.
/// Images are vectors if `flat`, which is the default where the architecture reads vectors. Throws
/// InputError, which says what to write, for shapes that do not fit, and for those that can be read in
/// several ways.
Form form_of(const Samples& samples, const FormKeys& keys);

/// Which samples of a file to take.
struct Selection {
  Eigen::Index first;
  Eigen::Index count;
};

/// The inputs that these samples are. `lengths`: of sequences, one per sample taken; empty: all tokens.
/// `range`: bytes 0, …, 255 become this range, instead of staying as they are, or [-1, 1] for images of
/// CIFAR. Precondition: the samples are there; a range belongs to bytes.
Inputs make_inputs(const Samples& samples, const Form& form, const Selection& selection,
                   const std::vector<Eigen::Index>& lengths = {},
                   std::optional<std::pair<double, double>> range = {});

/// The inputs of a table of tokens.
Inputs tokens(const Samples& samples);

}  // namespace nngpcheck::inputs
