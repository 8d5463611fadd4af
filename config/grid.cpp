#include "config/grid.hpp"

namespace nngpcheck::config {

namespace {

using architectures::Inputs;
using Eigen::Index;

/// "5,7" for the position number `position` of the grid, in row-major order.
std::string coordinates(Index position, const std::vector<Index>& grid) {
  std::string result;
  for (auto axis = grid.rbegin(); axis != grid.rend(); ++axis) {
    result = std::to_string(position % *axis) + (result.empty() ? "" : ",") + result;
    position /= *axis;
  }
  return result;
}

}  // namespace

Inputs as_vectors(Eigen::MatrixXd samples) {
  Inputs result;
  result.data = std::move(samples);
  for (Index j = 0; j < result.count(); ++j) result.labels.push_back(std::to_string(j));
  return result;
}

Inputs as_grids(const Eigen::MatrixXd& samples, const std::vector<Index>& grid) {
  Index positions = 1;
  for (const Index extent : grid) positions *= extent;
  Inputs result;
  result.grid = grid;
  result.data.resize(samples.rows() / positions, samples.cols() * positions);
  for (Index s = 0; s < samples.cols(); ++s) {
    result.data.middleCols(s * positions, positions) =
        samples.col(s).reshaped(positions, result.dimension()).transpose();
    for (Index p = 0; p < positions; ++p) {
      result.labels.push_back(std::to_string(s) + ":" + coordinates(p, grid));
    }
  }
  return result;
}

}  // namespace nngpcheck::config
