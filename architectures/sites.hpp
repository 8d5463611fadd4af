// What the columns of a signal stand for, and the constant matrices that move them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nngpcheck/architectures/layers/layers.hpp"
#include "nngpcheck/inputs/inputs.hpp"
#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::architectures {

/// Samples one after the other, each with its sites in row-major order: positions of a grid, tokens of a
/// sequence (a grid of one axis), or one site (no axes). The nodes of a graph are a sample, in no order.
class Sites {
 public:
  using Shape = std::vector<Eigen::Index>;

  explicit Sites(const inputs::Inputs& inputs);
  explicit Sites(std::vector<Shape> shapes, bool graph = false);

  Eigen::Index samples() const { return std::ssize(shapes_); }
  Eigen::Index columns() const { return first_.back(); }
  const Shape& shape(Eigen::Index sample) const { return shapes_[static_cast<std::size_t>(sample)]; }
  Eigen::Index size(Eigen::Index sample) const { return first(sample + 1) - first(sample); }

  /// The first column of a sample.
  Eigen::Index first(Eigen::Index sample) const { return first_[static_cast<std::size_t>(sample)]; }

  /// Whether every sample is a grid with this many axes; false for a graph.
  bool have_axes(std::size_t axes) const;

  /// One site per sample.
  Sites without_axes() const;

  /// "s" or "s:2,3" of every column, `sample_labels` standing for s.
  std::vector<std::string> labels(const std::vector<std::string>& sample_labels) const;

  friend bool operator==(const Sites&, const Sites&) = default;

 private:
  std::vector<Shape> shapes_;
  bool graph_;
  std::vector<Eigen::Index> first_ = {0};
};

/// All positions of a grid, row-major, and one of them as text: "2,3".
std::vector<Sites::Shape> grid_positions(const Sites::Shape& shape);
std::string listed(const Sites::Shape& position);

/// The number of axes of all samples. Throws ArchitectureError if they are no grids of as many axes.
std::size_t axes_of(const Sites& sites);

/// A list's entry for every axis. Throws ArchitectureError, with the key, if it has neither one entry nor one
/// per axis.
Sites::Shape per_axis(const std::vector<std::int64_t>& list, const std::string& key, std::size_t axes);

/// The window of a Conv or Pool.
struct Window {
  std::vector<std::int64_t> kernel, stride, dilation;
  Padding padding = "valid";
};

/// A window on sites: what each output column reads at each offset δ of the kernel.
class WindowReads {
 public:
  static constexpr Eigen::Index outside = -1;

  /// Throws ArchitectureError if the sites are no grids, a list has neither one entry nor one per axis, or a
  /// "valid" window is larger than a grid, or the window is so large that it could not be stored.
  WindowReads(const Sites& sites, const Window& window);

  const Sites& outputs() const { return outputs_; }

  /// The offsets δ in row-major order: "0,1".
  const std::vector<std::string>& offsets() const { return offsets_; }

  /// The column read at an offset by every output column, or `outside`.
  const std::vector<Eigen::Index>& reads(std::size_t offset) const { return reads_[offset]; }

  /// 1 where an output column reads an input column: X·M is the shifted X.
  netsor::SparseMatrix shift(std::size_t offset) const;

 private:
  Eigen::Index inputs_;
  Sites outputs_;
  std::vector<std::string> offsets_;
  std::vector<std::vector<Eigen::Index>> reads_;
};

/// Maps every axis of every sample on its own.
struct AxesMap {
  Sites outputs;
  netsor::SparseMatrix matrix;  // X·matrix has the outputs as columns
};

/// `axis` makes of an axis' number and length L a matrix of L rows. Throws what that throws, and
/// ArchitectureError if the sites are no grids, nothing is left of one, or too much to be stored.
AxesMap map_axes(const Sites& sites,
                 const std::function<netsor::SparseMatrix(std::size_t axis, Eigen::Index length)>& axis);

/// Columns times the sum over each sample.
netsor::SparseMatrix sample_sum(const Sites& sites);
/// And the average.
netsor::SparseMatrix sample_average(const Sites& sites);
/// Columns, one per sample, times this: one for every site of it.
netsor::SparseMatrix sample_repeat(const Sites& sites);

/// A of GraphConv, with the loops that are added. Throws ArchitectureError for inputs that are no graph.
netsor::SparseMatrix edge_matrix(const inputs::Inputs& inputs, bool self_loops, double self_loop_weight);

/// Â of GraphConv, so that X·Â sums over edges. Throws ArchitectureError for inputs that are no graph, and
/// for degrees that it cannot divide by.
netsor::SparseMatrix adjacency(const GraphConv& layer, const inputs::Inputs& inputs);

}  // namespace nngpcheck::architectures
