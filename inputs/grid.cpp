#include "nngpcheck/inputs/grid.hpp"

#include <numeric>
#include <set>

namespace nngpcheck::inputs {

namespace {

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

Inputs as_vectors(Eigen::MatrixXd samples, const std::vector<std::string>& texts) {
  Inputs result;
  result.data = std::move(samples);
  if (!texts.empty() && std::set<std::string>(texts.begin(), texts.end()).size() == texts.size()) {
    result.labels = texts;
    return result;
  }
  for (Index j = 0; j < result.count(); ++j) {
    result.labels.push_back(std::to_string(j) +
                            (texts.empty() ? "" : " " + texts[static_cast<std::size_t>(j)]));
  }
  return result;
}

Inputs as_grids(const Eigen::MatrixXd& samples, const std::vector<Index>& grid, Layout layout) {
  Index positions = 1;
  for (const Index extent : grid) positions *= extent;
  Inputs result;
  result.grid = grid;
  result.data.resize(samples.rows() / positions, samples.cols() * positions);
  for (Index s = 0; s < samples.cols(); ++s) {
    auto sample = result.data.middleCols(s * positions, positions);
    if (layout == Layout::channels_first) {
      sample = samples.col(s).reshaped(positions, result.dimension()).transpose();
    } else {
      sample = samples.col(s).reshaped(result.dimension(), positions);
    }
    for (Index p = 0; p < positions; ++p) {
      result.labels.push_back(std::to_string(s) + ":" + coordinates(p, grid));
    }
  }
  return result;
}

Inputs as_sequences(const Eigen::MatrixXd& samples, Index dimension, const std::vector<Index>& lengths) {
  Inputs result;
  result.lengths = lengths;
  result.data.resize(dimension, std::accumulate(lengths.begin(), lengths.end(), Index{0}));
  Index first = 0;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    result.data.middleCols(first, lengths[s]) =
        samples.col(static_cast<Index>(s)).head(dimension * lengths[s]).reshaped(dimension, lengths[s]);
    first += lengths[s];
    for (Index t = 0; t < lengths[s]; ++t)
      result.labels.push_back(std::to_string(s) + ":" + std::to_string(t));
  }
  return result;
}

}  // namespace nngpcheck::inputs
