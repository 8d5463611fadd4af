#include <torch/torch.h>

#include <limits>

#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

using architectures::GraphScores;
using architectures::Normalization;

// [sources, targets], with the loops that are added.
at::Tensor edge_matrix(const Place& place, bool self_loops, double self_loop_weight) {
  if (!place.inputs.graph) throw SamplerError("twin: the inputs of a graph layer have no graph");
  at::Tensor a = at::zeros({place.inputs.count(), place.inputs.count()}, at::kDouble);
  at::Tensor remaining = at::ones({a.size(0)}, at::kDouble);  // self-loops that are still to be added
  for (const auto& edge : *place.inputs.graph) {
    a[edge.source][edge.target] += edge.weight;
    if (edge.source == edge.target) remaining[edge.source] = 0;
  }
  return self_loops ? a + self_loop_weight * at::diag(remaining) : a;
}

// Â, with the sums along an axis replaced by 1/√ or 1/ of them, 0 where there is no edge.
at::Tensor graph_matrix(const architectures::GraphConv& layer, const Place& place) {
  const at::Tensor a = edge_matrix(place, layer.self_loops, layer.self_loop_weight);
  if (layer.normalization == Normalization::sum) return a;
  const auto power = [](const at::Tensor& degrees, double exponent) {
    return at::where(degrees == 0, at::zeros_like(degrees), degrees.pow(exponent));
  };
  if (layer.normalization == Normalization::row) return a * power(a.sum(0, /*keepdim=*/true), -1);
  return power(a.sum(1, /*keepdim=*/true), -0.5) * a * power(a.sum(0, /*keepdim=*/true), -0.5);
}

// "a0".
std::string of_coordinate(std::string letter, int i) {
  letter += std::to_string(i);
  return letter;
}

}  // namespace

Value apply(const architectures::GraphConv& layer, const Value& value, const Place& place) {
  const at::Tensor products =
      linear_map(joined(value), place.weight("W", value.blocks.size(), layer.weight_variance));
  at::Tensor result = at::matmul(graph_matrix(layer, place).t(), products);
  if (layer.self_weight_variance > 0) {
    result = result +
             linear_map(joined(value), place.weight("S", value.blocks.size(), layer.self_weight_variance));
  }
  if (layer.bias_variance > 0) result = result + place.bias("b", layer.bias_variance);
  return hidden(result, value.shapes);
}

// LibTorch has no graph attention: its formula, with all heads at once, [nodes, heads, d].
Value apply(const architectures::GraphAttention& layer, const Value& value, const Place& place) {
  const auto stacked = [&](int dimension, const auto& coordinate) {
    std::vector<at::Tensor> result;
    for (int i = 0; i < layer.head_size; ++i) result.push_back(coordinate(i));
    return at::stack(result, dimension);
  };
  const auto mapped = [&](const char* letter) {
    return stacked(2, [&](int i) {
      return linear_map(joined(value),
                        place.weight(of_coordinate(letter, i), value.blocks.size(), layer.weight_variance));
    });
  };
  const auto vector = [&](const char* letter) {
    return stacked(1, [&](int i) {
      return place.bias(of_coordinate(letter, i), layer.attention_variance / layer.head_size);
    });
  };
  const auto activation = stock_activation(layer.activation);
  const at::Tensor h = mapped("W");
  at::Tensor scores;  // [sources, targets, heads]
  if (layer.scores == GraphScores::gatv2) {
    scores = (activation(h.unsqueeze(1) + mapped("V").unsqueeze(0)) * vector("a")).sum(3);
  } else {
    scores = activation((h * vector("a")).sum(2).unsqueeze(1) + (h * vector("a'")).sum(2).unsqueeze(0));
  }
  const at::Tensor absent = edge_matrix(place, layer.self_loops, 1) == 0;
  scores = scores.masked_fill(absent.unsqueeze(2), -std::numeric_limits<double>::infinity());
  const at::Tensor received = at::einsum("sth,shd->thd", {at::softmax(scores, 0), h});
  Value result{{}, value.shapes, false};
  for (int i = 0; i < layer.head_size; ++i) {
    const at::Tensor bias = place.bias(of_coordinate("b", i), layer.bias_variance);
    const at::Tensor block = received.select(2, i);
    result.blocks.push_back(bias.defined() ? block + bias : block);
  }
  return result;
}

}  // namespace nngpcheck::empirical::twins
