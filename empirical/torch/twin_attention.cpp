#include <torch/torch.h>

#include <cmath>
#include <limits>

#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
using architectures::SelfAttention;

// A projection of nn::MultiheadAttention: [E, features] and [E], the heads' one below the other.
struct Projection {
  at::Tensor weight, bias;
};

struct Projections {
  Projection query, key, value, output;
  std::int64_t heads;
};

// What acts on the signal `x`, from the objects "L.K0", "L.K1", … and "L.bK0", …
class Reader {
 public:
  Reader(const SelfAttention& layer, const Place& place) : layer_(layer), place_(place) {}

  // Of `count` heads, each used `repeats` times in a row.
  Projection heads(const std::string& letter, const Value& x, int count, int repeats) const {
    std::vector<at::Tensor> weights, biases;
    for (int head = 0; head < count; ++head) {
      const Projection one = number(letter, head, x);
      for (int k = 0; k < repeats; ++k) {
        weights.push_back(one.weight);
        biases.push_back(one.bias);
      }
    }
    return {at::cat(weights), at::cat(biases)};
  }

  // Of heads of a fixed size: number i has the i-th rows of all heads.
  Projection interleaved(const std::string& letter, const Value& x) const {
    std::vector<at::Tensor> weights, biases;
    for (int i = 0; i < layer_.head_size; ++i) {
      const Projection one = number(letter, i, x);
      weights.push_back(one.weight);
      biases.push_back(one.bias);
    }
    return {at::stack(weights, 1).flatten(0, 1), at::stack(biases, 1).flatten()};
  }

  Projection output() const {
    const bool fixed = layer_.head_size > 0;
    const auto blocks = static_cast<std::size_t>(fixed ? layer_.head_size : layer_.heads);
    at::Tensor weight = place_.weight("O", blocks, layer_.weight_variance);
    if (fixed) weight = weight.view({weight.size(0), layer_.head_size, -1}).transpose(1, 2).flatten(1);
    return {weight, bias("bO", weight.size(0))};
  }

 private:
  Projection number(const std::string& letter, int k, const Value& x) const {
    const std::string name = letter + std::to_string(k);
    const at::Tensor weight = place_.weight(name, x.blocks.size(), layer_.weight_variance);
    return {weight, bias("b" + name, weight.size(0))};
  }
  at::Tensor bias(const std::string& name, std::int64_t size) const {
    const at::Tensor drawn = place_.bias(name, layer_.bias_variance);
    return drawn.defined() ? drawn : at::zeros({size}, at::kDouble);
  }

  const SelfAttention& layer_;
  const Place& place_;
};

Projections projections(const SelfAttention& layer, const Value& x, const Value& memory, const Place& place) {
  if (layer.weights == "none") {
    const std::int64_t width = joined(x).size(1);
    const Projection identity{at::eye(width, at::kDouble), at::zeros({width}, at::kDouble)};
    return {identity, identity, identity, identity, 1};
  }
  const Reader read(layer, place);
  if (layer.head_size > 0) {
    const Projection key = read.interleaved("K", memory), output = read.output();
    return {layer.weights == "tied" ? key : read.interleaved("Q", x), key, read.interleaved("V", memory),
            output, output.weight.size(0) / layer.head_size};
  }
  const int groups = layer.key_value_heads == 0 ? layer.heads : layer.key_value_heads;
  const Projection key = read.heads("K", memory, groups, layer.heads / groups);
  return {layer.weights == "tied" ? key : read.heads("Q", x, layer.heads, 1), key,
          read.heads("V", memory, groups, layer.heads / groups), read.output(), layer.heads};
}

// The module divides scores by √(head width); what is missing to the layer's scaling goes into the queries.
nn::MultiheadAttention attention(const Projections& matrices, const SelfAttention& layer) {
  const std::int64_t width = matrices.output.weight.size(1);
  nn::MultiheadAttention module(nn::MultiheadAttentionOptions(width, matrices.heads));
  module->to(at::kDouble);
  const double root =
      layer.scaling == "1/sqrt(d)" ? 1 : std::sqrt(static_cast<double>(width / matrices.heads));
  const double missing = 1 / (root * layer.temperature);
  module->in_proj_weight.copy_(
      at::cat({missing * matrices.query.weight, matrices.key.weight, matrices.value.weight}));
  module->in_proj_bias.copy_(
      at::cat({missing * matrices.query.bias, matrices.key.bias, matrices.value.bias}));
  module->out_proj->weight.copy_(matrices.output.weight);
  module->out_proj->bias.copy_(matrices.output.bias);
  return module;
}

// What is added to the score of query q (row) and key k (column): -∞ where it is not seen.
at::Tensor added(const SelfAttention& layer, std::int64_t queries, std::int64_t keys) {
  at::Tensor result = at::zeros({queries, keys}, at::kDouble);
  for (std::int64_t q = 0; q < queries; ++q) {
    for (std::int64_t k = 0; k < keys; ++k) {
      const std::int64_t distance = q > k ? q - k : k - q;
      const bool hidden = (layer.mask == "causal" && k > q) || (layer.window > 0 && distance >= layer.window);
      result[q][k] = hidden ? -std::numeric_limits<double>::infinity()
                            : -layer.distance_slope * static_cast<double>(distance);
    }
  }
  return result;
}

Value attend(const SelfAttention& layer, const Value& x, const Value& memory, const Place& place) {
  Projections matrices = projections(layer, x, memory, place);
  at::Tensor query = joined(x), key = joined(memory), values = key;
  const std::int64_t width = matrices.output.weight.size(1);
  if (query.size(1) != width || key.size(1) != width) {
    // The module's inputs have the width of its output: nn::Linear before it, and identities inside.
    const at::Tensor identity = at::eye(width, at::kDouble);
    query = linear_map(query, std::exchange(matrices.query.weight, identity));
    key = linear_map(key, std::exchange(matrices.key.weight, identity));
    values = linear_map(values, std::exchange(matrices.value.weight, identity));
  }
  nn::MultiheadAttention module = attention(matrices, layer);
  std::vector<at::Tensor> result;
  std::int64_t first = 0, first_key = 0;
  for (std::size_t s = 0; s < x.shapes.size(); ++s) {
    const std::int64_t length = sites(x.shapes[s]), keys = sites(memory.shapes[s]);
    const auto [output, weights] = module->forward(
        query.narrow(0, first, length).unsqueeze(1), key.narrow(0, first_key, keys).unsqueeze(1),
        values.narrow(0, first_key, keys).unsqueeze(1), {}, true, added(layer, length, keys));
    result.push_back(output.squeeze(1));
    first += length;
    first_key += keys;
  }
  const at::Tensor all = at::cat(result);
  return layer.weights == "none" ? split_like(all, x) : hidden(all, x.shapes);
}

}  // namespace

Value apply(const SelfAttention& layer, const Value& value, const Place& place) {
  return attend(layer, value, value, place);
}

Value apply(const architectures::CrossAttention& layer, const Value& value, const Place& place) {
  return attend(layer, value, apply(layer.memory, raw(place.inputs), place), place);
}

// LibTorch has no linear attention: its formula, on each sample.
Value apply(const architectures::LinearAttention& layer, const Value& value, const Place& place) {
  const auto psi = stock_activation(layer.feature);
  std::vector<at::Tensor> heads;
  for (int head = 0; head < layer.heads; ++head) {
    const auto project = [&](const char* letter) {
      return linear_map(joined(value), place.weight(letter + std::to_string(head), value.blocks.size(),
                                                    layer.weight_variance));
    };
    const at::Tensor key = psi(project("K")), values = project("V");
    const at::Tensor query = layer.weights == "tied" ? key : psi(project("Q"));
    std::vector<at::Tensor> rows;
    std::int64_t first = 0;
    for (const Shape& shape : value.shapes) {
      const std::int64_t length = sites(shape);
      const auto own = [&](const at::Tensor& all) { return all.narrow(0, first, length); };
      at::Tensor weights = at::matmul(own(query), own(key).t()) / key.size(1);
      if (layer.mask == "causal") weights = weights.tril();
      if (layer.normalized) weights = weights / weights.sum(1, /*keepdim=*/true);
      rows.push_back(at::matmul(weights, own(values)));
      first += length;
    }
    heads.push_back(at::cat(rows));
  }
  const at::Tensor output = place.weight("O", static_cast<std::size_t>(layer.heads), layer.weight_variance);
  return hidden(linear_map(at::cat(heads, 1), output), value.shapes);
}

}  // namespace nngpcheck::empirical::twins
