#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
using architectures::SelfAttention;

// The matrices of nn::MultiheadAttention, the heads' one below the other, and the features they act on.
struct Projections {
  at::Tensor query, key, value;  // [E, features]
  at::Tensor output;             // [E, E]
};

Projections projections(const SelfAttention& layer, const Value& x, const Place& place) {
  if (layer.weights == "none") {
    const at::Tensor identity = at::eye(joined(x).size(1), at::kDouble);
    return {identity, identity, identity, identity};
  }
  const auto all_heads = [&](const std::string& letter) {
    std::vector<at::Tensor> heads;
    for (int head = 0; head < layer.heads; ++head) {
      heads.push_back(place.weight(letter + std::to_string(head), x.blocks.size(), layer.weight_variance));
    }
    return at::cat(heads);
  };
  const at::Tensor key = all_heads("K");
  return {layer.weights == "tied" ? key : all_heads("Q"), key, all_heads("V"),
          place.weight("O", static_cast<std::size_t>(layer.heads), layer.weight_variance)};
}

// The module divides scores by √(head width); what is missing to 1/(head width · temperature) goes into the
// queries.
nn::MultiheadAttention attention(const Projections& matrices, const SelfAttention& layer) {
  const std::int64_t width = matrices.output.size(1);
  nn::MultiheadAttention module(nn::MultiheadAttentionOptions(width, layer.heads).bias(false));
  module->to(at::kDouble);
  const double missing = 1 / (std::sqrt(static_cast<double>(width / layer.heads)) * layer.temperature);
  module->in_proj_weight.copy_(at::cat({missing * matrices.query, matrices.key, matrices.value}));
  module->out_proj->weight.copy_(matrices.output);
  return module;
}

// -∞ where position q (row) must not see position k (column).
at::Tensor mask(const SelfAttention& layer, std::int64_t length) {
  if (layer.mask != "causal") return {};
  return at::full({length, length}, -std::numeric_limits<double>::infinity(), at::kDouble).triu(1);
}

}  // namespace

Value apply(const SelfAttention& layer, const Value& value, const Place& place) {
  Projections matrices = projections(layer, value, place);
  at::Tensor query = joined(value), key = query, values = query;
  const std::int64_t width = matrices.output.size(1);
  if (query.size(1) != width) {
    // The module's inputs have the width of its output: nn::Linear before it, and identities inside.
    const at::Tensor identity = at::eye(width, at::kDouble);
    query = linear_map(query, std::exchange(matrices.query, identity));
    key = linear_map(key, std::exchange(matrices.key, identity));
    values = linear_map(values, std::exchange(matrices.value, identity));
  }
  nn::MultiheadAttention module = attention(matrices, layer);
  std::vector<at::Tensor> result;
  std::int64_t first = 0;
  for (const Shape& shape : value.shapes) {
    const std::int64_t length = sites(shape);
    const auto sample = [&](const at::Tensor& all) { return all.narrow(0, first, length).unsqueeze(1); };
    const auto [output, weights] =
        module->forward(sample(query), sample(key), sample(values), {}, true, mask(layer, length));
    result.push_back(output.squeeze(1));
    first += length;
  }
  const at::Tensor all = at::cat(result);
  return layer.weights == "none" ? split_like(all, value) : hidden(all, value.shapes);
}

}  // namespace nngpcheck::empirical::twins
