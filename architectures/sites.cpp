#include "nngpcheck/architectures/sites.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;
using Eigen::Triplet;
using netsor::SparseMatrix;
using Shape = Sites::Shape;

Index product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

// Position number k of a grid, row-major.
Shape position(const Shape& shape, Index k) {
  Shape result(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; k /= shape[axis]) result[axis] = k % shape[axis];
  return result;
}

std::vector<Shape> shapes_of(const inputs::Inputs& inputs) {
  std::vector<Shape> result;
  if (inputs.graph) {
    for (const Index size : inputs.graph_sizes) result.push_back({size});
    return result.empty() ? std::vector<Shape>{{inputs.count()}} : result;
  }
  if (!inputs.grid.empty()) {
    result.assign(static_cast<std::size_t>(inputs.samples()), inputs.grid);
  } else if (!inputs.lengths.empty()) {
    for (const Index length : inputs.lengths) result.push_back({length});
  } else {
    result.resize(static_cast<std::size_t>(inputs.count()));
  }
  return result;
}

// A window along one axis.
struct Axis {
  Index kernel, stride, dilation;
  Padding::Kind padding;
  Index size;  // of the padding at either end, where it is given

  Index span() const { return dilation * (kernel - 1) + 1; }

  Index outputs(Index length) const {
    if (padding != Padding::Kind::valid && padding != Padding::Kind::sizes)
      return (length + stride - 1) / stride;
    const Index padded = length + 2 * size;
    return padded < span() ? 0 : (padded - span()) / stride + 1;
  }

  // Positions before the first.
  Index left(Index length) const {
    if (padding == Padding::Kind::valid || padding == Padding::Kind::sizes) return size;
    if (padding != Padding::Kind::same) return (span() - 1) / 2;
    return std::max<Index>(0, (outputs(length) - 1) * stride + span() - length) / 2;
  }

  // What output `o` reads at offset δ of a grid of this length.
  Index reads(Index length, Index o, Index offset) const {
    const Index at = o * stride + offset * dilation - left(length);
    if (padding == Padding::Kind::circular) return (at % length + length) % length;
    return at < 0 || at >= length ? WindowReads::outside : at;
  }
};

std::vector<Axis> window_axes(const Window& window, std::size_t count) {
  const Shape kernel = per_axis(window.kernel, "kernel", count),
              stride = per_axis(window.stride, "stride", count),
              dilation = per_axis(window.dilation, "dilation", count),
              padding = window.padding.sizes().empty() ? Shape(count, 0)
                                                       : per_axis(window.padding.sizes(), "padding", count);
  std::vector<Axis> result;
  for (std::size_t axis = 0; axis < count; ++axis) {
    result.push_back({kernel[axis], stride[axis], dilation[axis], window.padding.kind(), padding[axis]});
  }
  return result;
}

// The kernel's extents. Its positions are at most largest_count, and all reads together at most 1e8.
Shape kernel_of(const std::vector<Axis>& axes, const Sites& outputs) {
  Shape result;
  double positions = 1;
  for (const Axis& axis : axes) {
    result.push_back(axis.kernel);
    positions *= static_cast<double>(axis.kernel);
  }
  if (positions > largest_count || positions * static_cast<double>(outputs.columns()) > 1e8) {
    throw ArchitectureError("kernel: its window has " + support::shortest(positions) +
                                " positions, read by " + std::to_string(outputs.columns()) +
                                " columns; at most " + std::to_string(largest_count) +
                                " positions and 1e8 reads can be used: take a smaller kernel or fewer inputs",
                            "kernel");
  }
  return result;
}

Sites outputs_of(const Sites& sites, const std::vector<Axis>& axes) {
  std::vector<Shape> shapes;
  for (Index s = 0; s < sites.samples(); ++s) {
    Shape shape;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      shape.push_back(axes[axis].outputs(sites.shape(s)[axis]));
      if (shape.back() > 0) continue;
      throw ArchitectureError(
          "kernel: the window spans " + std::to_string(axes[axis].span()) + " positions but sample " +
              std::to_string(s) + " has " + std::to_string(sites.shape(s)[axis]) +
              " along that axis with its padding; use a smaller kernel, or padding = \"zero\"",
          "kernel");
    }
    shapes.push_back(std::move(shape));
  }
  return Sites(std::move(shapes));
}

}  // namespace

std::string listed(const Shape& numbers) {
  std::string result;
  for (const Index number : numbers) result += (result.empty() ? "" : ",") + std::to_string(number);
  return result;
}

std::vector<Shape> grid_positions(const Shape& shape) {
  std::vector<Shape> result;
  for (Index k = 0; k < product(shape); ++k) result.push_back(position(shape, k));
  return result;
}

std::size_t axes_of(const Sites& sites) {
  const std::size_t count = sites.shape(0).size();
  if (count > 0 && sites.have_axes(count)) return count;
  throw ArchitectureError(
      "a window needs grids or sequences, and these are vectors or a graph; give the inputs' grid, or use "
      "dense");
}

Shape per_axis(const std::vector<std::int64_t>& list, const std::string& key, std::size_t axes) {
  if (list.size() == axes) return Shape(list.begin(), list.end());
  if (list.size() == 1) return Shape(axes, list.front());
  throw ArchitectureError(key + " has " + std::to_string(list.size()) + " entries on a grid of " +
                              std::to_string(axes) + " axes; give one, or one per axis",
                          key);
}

Sites::Sites(std::vector<Shape> shapes, bool graph) : shapes_(std::move(shapes)), graph_(graph) {
  for (const Shape& shape : shapes_) first_.push_back(first_.back() + product(shape));
}

Sites::Sites(const inputs::Inputs& inputs) : Sites(shapes_of(inputs), inputs.graph.has_value()) {}

bool Sites::have_axes(std::size_t axes) const {
  return !graph_ &&
         std::all_of(shapes_.begin(), shapes_.end(), [&](const Shape& s) { return s.size() == axes; });
}

Sites Sites::without_axes() const { return Sites(std::vector<Shape>(shapes_.size())); }

std::vector<std::string> Sites::labels(const std::vector<std::string>& sample_labels) const {
  std::vector<std::string> result;
  for (std::size_t s = 0; s < shapes_.size(); ++s) {
    const Shape& shape = shapes_[s];
    for (Index k = 0; k < product(shape); ++k) {
      result.push_back(sample_labels[s] + (shape.empty() ? "" : ":" + listed(position(shape, k))));
    }
  }
  return result;
}

WindowReads::WindowReads(const Sites& sites, const Window& window)
    : inputs_(sites.columns()), outputs_(std::vector<Shape>{}) {
  const std::size_t count = axes_of(sites);
  const std::vector<Axis> axes = window_axes(window, count);
  outputs_ = outputs_of(sites, axes);
  const Shape kernel = kernel_of(axes, outputs_);
  for (Index k = 0; k < product(kernel); ++k) {
    const Shape offset = position(kernel, k);
    offsets_.push_back(listed(offset));
    std::vector<Index>& reads = reads_.emplace_back();
    for (Index s = 0; s < outputs_.samples(); ++s) {
      for (Index o = 0; o < outputs_.size(s); ++o) {
        const Shape at = position(outputs_.shape(s), o);
        Index column = 0;
        for (std::size_t a = 0; a < count && column != outside; ++a) {
          const Index length = sites.shape(s)[a];
          const Index read = axes[a].reads(length, at[a], offset[a]);
          column = read == outside ? outside : column * length + read;
        }
        reads.push_back(column == outside ? outside : sites.first(s) + column);
      }
    }
  }
}

SparseMatrix WindowReads::shift(std::size_t offset) const {
  std::vector<Triplet<double>> entries;
  for (Index o = 0; o < outputs_.columns(); ++o) {
    const Index read = reads_[offset][static_cast<std::size_t>(o)];
    if (read != outside) entries.emplace_back(read, o, 1.0);
  }
  SparseMatrix result(inputs_, outputs_.columns());
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

namespace {

// The Kronecker product, one matrix per axis.
std::vector<Triplet<double>> kronecker(const std::vector<SparseMatrix>& axes) {
  std::vector<Triplet<double>> entries = {{0, 0, 1.0}};
  for (const SparseMatrix& matrix : axes) {
    std::vector<Triplet<double>> next;
    for (const auto& entry : entries) {
      for (Index o = 0; o < matrix.cols(); ++o) {
        for (SparseMatrix::InnerIterator it(matrix, o); it; ++it) {
          next.emplace_back(entry.row() * matrix.rows() + it.row(), entry.col() * matrix.cols() + o,
                            entry.value() * it.value());
        }
      }
    }
    entries = std::move(next);
  }
  return entries;
}

}  // namespace

AxesMap map_axes(const Sites& sites,
                 const std::function<SparseMatrix(std::size_t axis, Index length)>& axis) {
  const std::size_t count = axes_of(sites);
  std::vector<Shape> shapes;
  std::vector<std::vector<Triplet<double>>> samples;
  double positions = 0, reads = 0;
  for (Index s = 0; s < sites.samples(); ++s) {
    std::vector<SparseMatrix> matrices;
    Shape shape;
    double outputs = 1, entries = 1;
    for (std::size_t a = 0; a < count; ++a) {
      const SparseMatrix& matrix = matrices.emplace_back(axis(a, sites.shape(s)[a]));
      if (matrix.cols() == 0) {
        throw ArchitectureError("nothing is left of the " + std::to_string(sites.shape(s)[a]) +
                                " positions of sample " + std::to_string(s));
      }
      shape.push_back(matrix.cols());
      outputs *= static_cast<double>(matrix.cols());
      entries *= static_cast<double>(matrix.nonZeros());
    }
    positions += outputs;
    reads += entries;
    if (positions > 1e6 || reads > 1e8) {
      throw ArchitectureError("gives samples 0 to " + std::to_string(s) + " " + support::shortest(positions) +
                              " positions, which read " + support::shortest(reads) +
                              "; at most 1e6 and 1e8 can be used: take fewer");
    }
    shapes.push_back(std::move(shape));
    samples.push_back(kronecker(matrices));
  }
  AxesMap result{Sites(std::move(shapes)), {}};
  std::vector<Triplet<double>> all;
  for (Index s = 0; s < sites.samples(); ++s) {
    for (const auto& entry : samples[static_cast<std::size_t>(s)]) {
      all.emplace_back(sites.first(s) + entry.row(), result.outputs.first(s) + entry.col(), entry.value());
    }
  }
  result.matrix = SparseMatrix(sites.columns(), result.outputs.columns());
  result.matrix.setFromTriplets(all.begin(), all.end());
  return result;
}

SparseMatrix sample_sum(const Sites& sites) {
  std::vector<Triplet<double>> entries;
  for (Index s = 0; s < sites.samples(); ++s) {
    for (Index k = 0; k < sites.size(s); ++k) entries.emplace_back(sites.first(s) + k, s, 1.0);
  }
  SparseMatrix result(sites.columns(), sites.samples());
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

SparseMatrix sample_average(const Sites& sites) {
  Eigen::VectorXd shares(sites.samples());
  for (Index s = 0; s < sites.samples(); ++s) shares[s] = 1.0 / static_cast<double>(sites.size(s));
  return sample_sum(sites) * shares.asDiagonal();
}

SparseMatrix sample_repeat(const Sites& sites) { return sample_sum(sites).transpose(); }

SparseMatrix edge_matrix(const inputs::Inputs& inputs, bool self_loops, double self_loop_weight) {
  if (!inputs.graph) throw ArchitectureError("needs a graph; give the inputs' graph = \"edges.csv\"");
  std::vector<Triplet<double>> edges;
  std::vector<bool> has_loop(static_cast<std::size_t>(inputs.count()), false);
  for (const inputs::Edge& edge : *inputs.graph) {
    edges.emplace_back(edge.source, edge.target, edge.weight);
    if (edge.source == edge.target) has_loop[static_cast<std::size_t>(edge.source)] = true;
  }
  for (Index k = 0; self_loops && k < inputs.count(); ++k) {
    if (!has_loop[static_cast<std::size_t>(k)]) edges.emplace_back(k, k, self_loop_weight);
  }
  SparseMatrix matrix(inputs.count(), inputs.count());
  matrix.setFromTriplets(edges.begin(), edges.end());
  return matrix;
}

namespace {

// degrees^exponent, 0 of nodes without edges. `sizes`: the sums of the weights' absolute values.
Eigen::ArrayXd power_of_degrees(const Eigen::VectorXd& degrees, const Eigen::VectorXd& sizes, double exponent,
                                Normalization normalization) {
  for (Index k = 0; k < degrees.size(); ++k) {
    if (degrees[k] > 0 || sizes[k] == 0) continue;
    throw ArchitectureError(std::string("normalization = \"") + word(normalization) +
                                "\" divides by weighted degrees, and node " + std::to_string(k) + " has " +
                                support::shortest(degrees[k]) +
                                ", for its edges of negative weight; take \"sum\"",
                            "normalization");
  }
  return (degrees.array() > 0).select(degrees.array().pow(exponent), 0);
}

}  // namespace

SparseMatrix adjacency(const GraphConv& layer, const inputs::Inputs& inputs) {
  const SparseMatrix matrix = edge_matrix(inputs, layer.self_loops, layer.self_loop_weight);
  if (layer.normalization == Normalization::sum) return matrix;
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(inputs.count());
  const SparseMatrix sizes = matrix.cwiseAbs();
  const auto power = [&](const SparseMatrix& of, const SparseMatrix& absolute, double exponent) {
    return power_of_degrees(of * ones, absolute * ones, exponent, layer.normalization).matrix().eval();
  };
  const SparseMatrix incoming = matrix.transpose(), incoming_sizes = sizes.transpose();
  if (layer.normalization == Normalization::row)
    return matrix * power(incoming, incoming_sizes, -1).asDiagonal();
  return power(matrix, sizes, -0.5).asDiagonal() * matrix *
         power(incoming, incoming_sizes, -0.5).asDiagonal();
}

}  // namespace nngpcheck::architectures
