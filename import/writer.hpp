// Private to import/: arithmetic of cells, written as instructions.
#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "nngpcheck/import/archive.hpp"
#include "nngpcheck/import/cells.hpp"
#include "nngpcheck/import/report.hpp"

namespace nngpcheck::importer {

using Cells = std::vector<Cell>;

/// Features that a parameter reads out, Σ over the blocks b and the coordinates of v_b x_b.
struct Readout {
  std::size_t input;                 // the parameter v
  bool plain;                        // by a linear layer or a convolution
  Values variance;                   // of its entries
  std::vector<int> widths;           // of the blocks
  std::vector<std::vector<Cell>> x;  // by block, then by row
};

/// Writes one program: that of the limit, or the one at one of the archive's widths. They have the same
/// instructions; constants that depend on n have their value at that width, or their limit (0 where they
/// vanish).
///
/// Functions take lists of cells and work on each; `widths` says over which width each result extends, or
/// `finite`.
class Writer {
 public:
  Writer(const Archive& archive, Widths& widths, Report& report, std::optional<std::size_t> at);

  /// Σ of each list.
  Cells add(const std::vector<Cells>& sums, const std::vector<int>& widths);
  /// a·b coordinatewise.
  Cells multiply(const Cells& left, const Cells& right, const std::vector<int>& widths);
  /// a·b summed over the coordinates of the width `summed`.
  Cells contract(const Cells& left, const Cells& right, const std::vector<int>& summed,
                 const std::vector<int>& widths);
  /// φ of each, and max(a, b).
  Cells map(const netsor::Activation& activation, const Cells& cells, const std::vector<int>& widths);
  Cells maximum(const Cells& left, const Cells& right, const std::vector<int>& widths);
  /// φ of several.
  Cells function(const netsor::Function& function, const std::vector<Cells>& arguments,
                 const std::vector<int>& widths);
  /// Standardized within the cells of equal group.
  Cells standardize(const Cells& cells, const std::vector<int>& groups, const std::vector<int>& widths,
                    double epsilon);
  /// 1/√(s + ε) of numbers that converge; powers of n are taken out.
  Cells rsqrt(const Cells& cells, double epsilon);
  /// Softmax of each line of numbers that converge; −∞ leaves an entry out.
  std::vector<Cells> softmax(const std::vector<Cells>& lines);
  /// Σ_k a_k x_k where the a are all the unmasked entries of a line of softmax; none if they are not.
  std::optional<Cells> mix_by_table(const std::vector<std::vector<std::pair<Cell, Cell>>>& sums,
                                    const std::vector<int>& widths);
  /// Any function of numbers that are random at every width, or of constants.
  Cell random(std::function<double(const std::vector<double>&)> function, const Cells& arguments);

  static Cell scaled(Cell cell, const Values& factor);
  static Cell scaled(const Cell& cell, double factor) { return scaled(cell, constant_values(factor)); }

  /// One bundle with these columns. Their powers of n are taken out, which must be the same.
  netsor::BundleId bundle(const Cells& cells, int width, bool keep_factors = true);

  /// The cells of a graph's input.
  Tensor load(std::size_t input);
  /// The network goes on with a number that is random at every width: a diagnosis, and 1 instead.
  Cell reenter(const Cell& cell);
  /// What a cell without a width is.
  static double value(const Cell& cell, const Evaluation& evaluation);

  netsor::Builder& builder() { return builder_; }
  const Archive& archive() const { return archive_; }
  Widths& widths() { return widths_; }
  Report& report() { return report_; }
  const std::optional<std::size_t>& at() const { return at_; }
  std::vector<Readout>& readouts() { return readouts_; }

  /// What the random objects of the program are in the archive: for each, blocks divided by factors, or the
  /// normal numbers that uniform ones are functions of.
  struct Part {
    Block block;
    Values factor;
    bool uniform = false;
    Values mean = {}, half_range = {};  // of uniform ones
  };
  const std::map<std::string, std::vector<Part>>& objects() const { return objects_; }
  /// Where the entries of a block are in the graph's array, its first width slowest.
  std::vector<std::int64_t> entries(const Block& block, std::size_t graph) const;
  /// A parameter's numbers, and others of the same law instead of them.
  const std::vector<double>& numbers_of(std::size_t input, std::size_t graph) const {
    const auto found = replaced_.find(input);
    return found == replaced_.end() ? archive_.graphs[graph].inputs[input].numbers.values
                                    : found->second[graph];
  }
  void replace(std::size_t input, std::array<std::vector<double>, width_count> numbers) {
    replaced_[input] = std::move(numbers);
  }
  /// The sizes of widths at the archive's, by their text.
  const std::map<std::string, Size>& sizes() const { return sizes_; }

 private:
  struct Term {
    Values factor;
    Column column;
    bool depends;
    const std::string* blame;
  };
  struct VectorObject {
    std::optional<netsor::InputWeightId> matrix;  // else the column below
    std::optional<netsor::BundleId> column;
    netsor::Index row = 0;
    Cell cell = {};  // factor and blame; a number if the block is constant
  };
  using Sparse = std::vector<std::pair<Column, double>>;

  double evaluate(const Values& values, double power, const std::string* blame);
  bool still_depends(const Cell& cell) const;
  Cell larger(const Cell& left, const Cell& right);
  double power_of(const Values& values);
  Values powers(double power) const;
  netsor::Width width(int width);
  Column ones(int width);

  // parameters.cpp
  Law law(const Block& block, std::size_t graph) const;
  Values deviations(const Block& block, Values& means) const;
  Cell constant(const Block& block, bool depends, const Cell& otherwise) const;
  const std::string* slice(const Block& block);
  void create_vectors(std::size_t input);
  Cells vectors(const Cells& cells);
  struct Matrix {
    netsor::WeightId weight;
    Values factor;
    const std::string* blame;
    int summed;
  };
  int width_along(const Block& block, std::size_t axis) const;
  const Matrix& matrix(const Block& block);
  bool is_readout(const Block& block) const;

  // writer.cpp
  std::vector<std::vector<Term>> terms(const std::vector<Cells>& sums, const std::vector<int>& widths);
  Cells combine(std::vector<std::vector<Term>> sums, const std::vector<int>& widths);
  netsor::BundleId emit(const std::vector<Sparse>& columns, int width);
  netsor::BundleId aligned(const std::vector<Column>& columns, int width);
  Cells times_matrices(const std::vector<std::pair<const Block*, Cell>>& products,
                       const std::vector<int>& summed);
  Cells read_out(const std::vector<std::pair<const Block*, Cell>>& products, const std::vector<int>& summed);
  Cell sum_of_matrices(const Cells& cells) const;
  Cells times_product(const std::vector<const Cells*>& products, Cells xs);
  Cells times_sums(const Cells& outers, const Cells& xs, const std::vector<int>& summed,
                   const std::vector<int>& widths);
  Cells times_vectors(const Cells& left, const Cells& right, const std::vector<int>& widths);

  // scalars.cpp
  netsor::TableId row(const Cells& cells, std::vector<double>* power = nullptr);
  Column column(const Entry& entry, int width);
  bool is_ones(const Column& column) const { return ones_.contains(column.bundle); }
  Cells constant_columns(const Cells& cells, const std::vector<int>& widths);
  Cells scale(const Cells& scalars, const Cells& cells, const std::vector<int>& widths);
  double power_of_number(const Cell& cell);
  Cells entries_of(netsor::TableId row, const Cells& like);
  std::optional<std::vector<Cells>> softmax_table(const std::vector<Cells>& lines);

  const Archive& archive_;
  Widths& widths_;
  Report& report_;
  std::optional<std::size_t> at_;
  netsor::Builder builder_;
  std::map<std::pair<std::size_t, std::int64_t>, VectorObject> vectors_;
  std::map<std::pair<std::size_t, std::int64_t>, Matrix> matrices_;
  std::map<netsor::BundleId, std::pair<netsor::InputWeightId, std::vector<netsor::Index>>> pure_inputs_;
  std::map<netsor::InputWeightId, std::size_t> vectors_count_;  // the inputs of each
  std::map<netsor::InputWeightId, netsor::Activation>
      maps_;  // of those whose numbers are functions of normal ones
  std::map<std::pair<netsor::TableId, netsor::Index>, std::size_t> table_lines_;  // unmasked rows
  std::map<std::size_t, Tensor> loaded_;
  std::map<std::string, std::vector<Part>> objects_;
  std::set<netsor::BundleId> ones_;  // the bundles of the constant 1
  std::map<std::string, Size> sizes_;
  std::map<std::size_t, std::array<std::vector<double>, width_count>> replaced_;
  std::vector<Readout> readouts_;
};

/// φ of numbers.
Values numbers_map(const netsor::Activation& activation, const Values& values);

/// Where the coordinates of a slot of an axis lie along it, at one of the archive's widths.
struct Range {
  std::int64_t start, stride, count;
};
std::vector<Range> slot_ranges(const Axis& axis, const Widths& widths, std::size_t graph);

}  // namespace nngpcheck::importer
