#include "nngpcheck/analytic/law/coordinate_sample.hpp"

#include "nngpcheck/analytic/error.hpp"

namespace nngpcheck::analytic {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

void set_columns(Coordinates& coordinates, const std::vector<Draw>& drawn, BlockNormals& normals) {
  for (const Draw& draw : drawn) {
    ArrayXd value = ArrayXd::Constant(normals.count(), draw.mean);
    for (const auto& [coordinate, weight] : draw.weights) value += weight * normals[coordinate];
    coordinates.set(draw.column, std::move(value));
  }
}

}  // namespace

CoordinateSample::CoordinateSample(Values& values, const Averages& averages, int log2_points,
                                   std::uint64_t seed)
    : values_(values), averages_(averages), draws_(values, nullptr) {
  for (const NodeIndex leaf : averages.leaves()) {
    for (Index j = 0; j < values.structure().columns(leaf); ++j) drawn_.push_back(draws_.append({leaf, j}));
  }
  int dimension = 0;
  for (const Draw& draw : drawn_) {
    for (const auto& [coordinate, weight] : draw.weights) dimension = std::max(dimension, coordinate + 1);
  }
  if (dimension > ScrambledSobol::largest_dimension) {
    throw LimitError("the finite-width law: one coordinate of this network is a function of " +
                     std::to_string(dimension) + " normals, and the Sobol sequence has " +
                     std::to_string(ScrambledSobol::largest_dimension) +
                     " coordinates; use fewer or smaller inputs");
  }
  sobol_ = std::make_unique<ScrambledSobol>(dimension, log2_points, seed);
}

MatrixXd CoordinateSample::noise(Index first, Index count) const {
  BlockNormals normals(*sobol_, first, count);
  Coordinates coordinates(values_.structure(), values_.forms(), count);
  set_columns(coordinates, drawn_, normals);
  MatrixXd result(count, averages_.size());
  for (const Average& average : averages_.all()) {
    const auto& [kind, x, y, entries, system] = average.demand;
    const MatrixXd& limit = values_[average.demand].value;
    Index column = average.first;
    for (const Average::Entry& entry : average.entries) {
      const double mean = limit.reshaped()[entry.place];
      const ArrayXd& left = coordinates(x, entry.i);
      result.col(column++) = y == one ? ArrayXd(left - mean) : ArrayXd(left * coordinates(y, entry.j) - mean);
    }
  }
  return result;
}

VectorXd CoordinateSample::mean_derivative(Index first, const MatrixXd& scores, const Changes& changes,
                                           const netsor::Width& width) const {
  BlockNormals normals(*sobol_, first, scores.rows());
  Coordinates coordinates(values_.structure(), values_.forms(), scores.rows());
  set_columns(coordinates, drawn_, normals);
  std::vector<FormChanges> forms;
  for (Index b = 0; b < changes.directions(); ++b) {
    forms.emplace_back(values_.structure(), values_.forms(), changes, b);
  }
  CoordinateChanges moved(coordinates, forms);
  for (const DrawChange& change : draws_.changes(changes)) {
    ArrayXXd column = change.mean.replicate(scores.rows(), 1).array();
    for (const auto& [coordinate, weight] : change.weights) {
      column += (normals[coordinate].matrix() * weight).array();
    }
    moved.set(change.column, std::move(column));
  }
  std::map<Column, ArrayXd> along;
  const auto derivative = [&](NodeIndex node, Index column) -> const ArrayXd& {
    auto [found, added] = along.try_emplace({node, column});
    if (added) found->second = (moved(node, column) * scores.array()).rowwise().sum();
    return found->second;
  };
  VectorXd result = VectorXd::Zero(averages_.size());
  for (const Average& average : averages_.all()) {
    if (average.width != width) continue;
    const auto& [kind, x, y, entries, system] = average.demand;
    Index row = average.first;
    for (const auto& [i, j, place, mirrored] : average.entries) {
      result[row++] =
          y == one ? derivative(x, i).mean()
                   : (derivative(x, i) * coordinates(y, j) + coordinates(x, i) * derivative(y, j)).mean();
    }
  }
  return result;
}

}  // namespace nngpcheck::analytic
