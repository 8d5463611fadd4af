#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

enum class NodeOutputs { nodes, average, sum };
template <>
inline constexpr std::array words<NodeOutputs>{"nodes", "average", "sum"};

/// What the networks on the nodes of graphs have in common: `depth` layers of φ = activation, weights N(0,
/// weight_variance/n), of the first layer N(0, input_variance/d), biases N(0, bias_variance); outputs =
/// "nodes", or of each graph their "average" or "sum".
struct GraphNetworkOptions {
  int depth = 2;
  netsor::Activation activation = netsor::Activation::named("relu");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double readout_variance = 1;
  NodeOutputs outputs = NodeOutputs::nodes;
};

/// Graph convolutional network (Kipf and Welling 2017): depth × X ↦ φ(W X Â + b), Â as in GraphConv. Layers
/// "graph_conv1", …
struct GcnOptions : GraphNetworkOptions {
  Normalization normalization = Normalization::gcn;
  bool self_loops = true;
  static std::vector<Field<GcnOptions>> fields();
};

Network gcn(const GcnOptions& options);
inline netsor::Program gcn(const GcnOptions& options, const inputs::Inputs& inputs) {
  return program(gcn(options), inputs);
}

/// GraphSAGE (Hamilton et al. 2017): depth × X ↦ φ(W X Â + S X + b), Â the mean over incoming edges, S of
/// the variance of W.
struct GraphsageOptions : GraphNetworkOptions {
  static std::vector<Field<GraphsageOptions>> fields();
};
Network graphsage(const GraphsageOptions& options);

/// Graph isomorphism network (Xu et al. 2019): depth × X ↦ φ(W₂ φ(W₁ ((1 + epsilon) X + X A) + b₁) + b₂); a
/// node that has a loop in the list of edges keeps its weight instead of 1 + epsilon.
struct GinOptions : GraphNetworkOptions {
  double epsilon = 0;
  static std::vector<Field<GinOptions>> fields();
};
Network gin(const GinOptions& options);

}  // namespace nngpcheck::architectures
