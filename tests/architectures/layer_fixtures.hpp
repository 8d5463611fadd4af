// What the tests of layers share: programs of layers at a small finite width.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "nngpcheck/architectures/network.hpp"
#include "tests/architectures/fixtures.hpp"
#include "tests/netsor/interpreter.hpp"

namespace nngpcheck::testing {

constexpr std::int64_t n = 6;
constexpr double rounding = 1e-12;

inline inputs::Inputs grids(int samples, const std::vector<Eigen::Index>& grid) {
  Eigen::Index positions = 1;
  for (const Eigen::Index size : grid) positions *= size;
  inputs::Inputs result = vectors(samples * static_cast<int>(positions));
  result.grid = grid;
  return result;
}

inline inputs::Inputs graph(int nodes, const std::vector<inputs::Edge>& edges) {
  inputs::Inputs result = vectors(nodes);
  result.graph = edges;
  return result;
}

inline std::vector<inputs::Edge> cycle(Eigen::Index nodes) {
  std::vector<inputs::Edge> result;
  for (Eigen::Index k = 0; k < nodes; ++k) {
    result.push_back({k, (k + 1) % nodes});
    result.push_back({(k + 1) % nodes, k});
  }
  return result;
}

/// A program and weights of width n.
struct Sample {
  netsor::Program program;
  Weights weights;
  Eigen::MatrixXd values() const { return outputs(program, weights, n); }
};

inline Sample sample(const architectures::Layers& layers, const inputs::Inputs& inputs) {
  netsor::Program made = architectures::program(architectures::network(layers), inputs);
  Weights weights = draw(made, n);
  return {std::move(made), std::move(weights)};
}

inline void expect_equal(const Eigen::MatrixXd& found, const Eigen::MatrixXd& expected) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.cols(), expected.cols());
  EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), rounding) << found << "\n\n" << expected;
}

inline architectures::Layer relu() { return {architectures::Activate{netsor::Activation::named("relu")}}; }

}  // namespace nngpcheck::testing
