#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
using architectures::AttentionWeights;
using architectures::Mask;
using architectures::Scaling;
using architectures::SelfAttention;

// A projection of nn::MultiheadAttention: [E, features] and [E], the heads' one below the other.
struct Projection {
  at::Tensor weight, bias;
};

struct Projections {
  Projection query, key, value, output;
  std::int64_t heads;
};

// The variances of a matrix and its bias.
struct Variances {
  double weight, bias;
};

// What acts on the signal `x`, from the objects "L.K0", "L.K1", … and "L.bK0", …
class Reader {
 public:
  Reader(const SelfAttention& layer, const Place& place)
      : layer_(layer),
        place_(place),
        of_("QKVO"),
        weights_{layer.query_variance, layer.key_variance, layer.value_variance, layer.output_variance},
        biases_{layer.query_bias_variance, layer.key_bias_variance, layer.value_bias_variance,
                layer.output_bias_variance} {}

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

  // Of heads of a fixed size, `count` of them in a row beside each other, used `repeats` times in a row:
  // number j·d + i has the i-th rows of every count-th head.
  Projection interleaved(const std::string& letter, const Value& x, int count, int repeats) const {
    std::vector<at::Tensor> weights, biases;
    for (int i = 0; i < count * layer_.head_size; ++i) {
      const Projection one = number(letter, i, x);
      weights.push_back(one.weight);
      biases.push_back(one.bias);
    }
    const auto in_heads = [&](const std::vector<at::Tensor>& rows) {
      at::Tensor all = at::stack(rows, 1);  // [groups, count·d, …]
      std::vector<at::Tensor> repeated(static_cast<std::size_t>(repeats), all);
      return at::cat(repeated, 1).flatten(0, 1);
    };
    return {in_heads(weights), in_heads(biases)};
  }

  Projection output() const {
    const bool fixed = layer_.head_size > 0;
    const int blocks = fixed ? layer_.head_size * layer_.queries_per_key : layer_.heads;
    const Variances of = variances('O');
    at::Tensor weight = place_.weight("O", static_cast<std::size_t>(blocks), of.weight);
    if (fixed) weight = weight.view({weight.size(0), blocks, -1}).transpose(1, 2).flatten(1);
    return {weight, bias("bO", weight.size(0), of.bias)};
  }

  // [heads], of one difference of positions.
  at::Tensor relative(std::int64_t difference) const {
    std::vector<at::Tensor> result;
    for (int j = 0; j < layer_.queries_per_key; ++j) {
      result.push_back(
          place_.bias(numbered(indexed("R", std::to_string(difference)), j, layer_.queries_per_key),
                      layer_.relative_bias_variance));
    }
    return at::stack(result, 1).flatten();
  }

 private:
  Variances variances(char letter) const {
    const std::size_t k = of_.find(letter);
    return {weights_[k].value_or(layer_.weight_variance), biases_[k].value_or(layer_.bias_variance)};
  }
  Projection number(const std::string& letter, int k, const Value& x) const {
    const std::string name = letter + std::to_string(k);
    const Variances of = variances(letter[0]);
    const at::Tensor weight = place_.weight(name, x.blocks.size(), of.weight);
    return {weight, bias("b" + name, weight.size(0), of.bias)};
  }
  at::Tensor bias(const std::string& name, std::int64_t size, double variance) const {
    const at::Tensor drawn = place_.bias(name, variance);
    return drawn.defined() ? drawn : at::zeros({size}, at::kDouble);
  }

  const SelfAttention& layer_;
  const Place& place_;
  std::string of_;
  std::optional<double> weights_[4], biases_[4];
};

Projections projections(const SelfAttention& layer, const Value& x, const Value& memory, const Place& place) {
  if (layer.weights == AttentionWeights::none) {
    const std::int64_t width = joined(x).size(1);
    const Projection identity{at::eye(width, at::kDouble), at::zeros({width}, at::kDouble)};
    return {identity, identity, identity, identity, 1};
  }
  const Reader read(layer, place);
  if (layer.head_size > 0) {
    const int repeats = layer.queries_per_key;
    const Projection key = read.interleaved("K", memory, 1, repeats), output = read.output();
    return {layer.weights == AttentionWeights::tied ? key : read.interleaved("Q", x, repeats, 1), key,
            read.interleaved("V", memory, 1, repeats), output, output.weight.size(1) / layer.head_size};
  }
  const int groups = layer.key_value_heads == 0 ? layer.heads : layer.key_value_heads;
  const Projection key = read.heads("K", memory, groups, layer.heads / groups);
  return {layer.weights == AttentionWeights::tied ? key : read.heads("Q", x, layer.heads, 1), key,
          read.heads("V", memory, groups, layer.heads / groups), read.output(), layer.heads};
}

// The module divides scores by √(head width); what is missing to the layer's scaling goes into the queries.
nn::MultiheadAttention attention(const Projections& matrices, const SelfAttention& layer) {
  const std::int64_t width = matrices.output.weight.size(1);
  nn::MultiheadAttention module(nn::MultiheadAttentionOptions(width, matrices.heads));
  module->to(at::kDouble);
  const double root =
      layer.scaling == Scaling::sqrt_d ? 1 : std::sqrt(static_cast<double>(width / matrices.heads));
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
      const auto of = [&](const architectures::Table& table) {
        return table.at(static_cast<std::size_t>(q)).at(static_cast<std::size_t>(k));
      };
      const bool hidden = (layer.mask == Mask::causal && k > q) ||
                          (layer.window > 0 && distance >= layer.window) ||
                          (!layer.visible.empty() && of(layer.visible) == 0);
      double sum = -layer.distance_slope * static_cast<double>(distance);
      if (!layer.score_bias.empty()) sum += of(layer.score_bias);
      if (!layer.relative_bias.empty()) {
        const std::int64_t middle = std::ssize(layer.relative_bias) / 2;
        const std::int64_t at = std::min(std::max<std::int64_t>(middle + k - q, 0), 2 * middle);
        sum += layer.relative_bias[static_cast<std::size_t>(at)];
      }
      result[q][k] = hidden ? -std::numeric_limits<double>::infinity() : sum;
    }
  }
  return result;
}

// Complex numbers of coordinates i and i + d/2 of each head times exp(i p base^(-2i/d)), p = 0, 1, … the row.
at::Tensor turned(const at::Tensor& rows, std::int64_t size, double base) {
  if (base == 0) return rows;
  const at::Tensor pairs = rows.view({rows.size(0), -1, 2, size / 2});
  const at::Tensor numbers = at::complex(pairs.select(2, 0), pairs.select(2, 1));
  const at::Tensor frequencies = at::pow(base, at::arange(0, size, 2, at::kDouble) / -size);
  const at::Tensor angles = at::outer(at::arange(rows.size(0), at::kDouble), frequencies).unsqueeze(1);
  const at::Tensor result = numbers * at::polar(at::ones_like(angles), angles);
  return at::stack({at::real(result), at::imag(result)}, 2).flatten(1);
}

// The module's score masks are the same in all heads, and positions turn what is projected: one module per
// head, of projected rows.
class SingleHeads {
 public:
  SingleHeads(const SelfAttention& layer, Projections matrices, const Place& place)
      : layer_(layer), matrices_(std::move(matrices)), read_(layer, place) {}

  static bool needed(const SelfAttention& layer) {
    return layer.rotary_base > 0 || layer.relative_bias_variance > 0;
  }

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& memory) const {
    const auto project = [](const at::Tensor& rows, const Projection& by) {
      return linear_map(rows, by.weight, by.bias);
    };
    const at::Tensor query = turned(project(x, matrices_.query), layer_.head_size, layer_.rotary_base),
                     key = turned(project(memory, matrices_.key), layer_.head_size, layer_.rotary_base),
                     value = project(memory, matrices_.value);
    const std::int64_t size = layer_.head_size;
    const Projection identity{at::eye(size, at::kDouble), at::zeros({size}, at::kDouble)};
    nn::MultiheadAttention module = attention({identity, identity, identity, identity, 1}, layer_);
    const at::Tensor given = added(layer_, x.size(0), memory.size(0));
    std::vector<at::Tensor> heads;
    for (std::int64_t head = 0; head < matrices_.heads; ++head) {
      const auto part = [&](const at::Tensor& all) { return all.narrow(1, head * size, size).unsqueeze(1); };
      heads.push_back(std::get<0>(module->forward(part(query), part(key), part(value), {}, true,
                                                  given + relative(head, given)))
                          .squeeze(1));
    }
    return project(at::cat(heads, 1), matrices_.output);
  }

 private:
  // Of the keys that are seen.
  at::Tensor relative(std::int64_t head, const at::Tensor& given) const {
    at::Tensor result = at::zeros_like(given);
    if (layer_.relative_bias_variance == 0) return result;
    for (std::int64_t q = 0; q < given.size(0); ++q) {
      for (std::int64_t k = 0; k < given.size(1); ++k) {
        if (std::isfinite(given[q][k].item<double>())) result[q][k] = read_.relative(k - q)[head];
      }
    }
    return result;
  }

  const SelfAttention& layer_;
  Projections matrices_;
  Reader read_;
};

Value attend(const SelfAttention& layer, const Value& x, const Value& memory, const Place& place) {
  Projections matrices = projections(layer, x, memory, place);
  if (SingleHeads::needed(layer)) {
    const SingleHeads heads(layer, matrices, place);
    const std::vector<at::Tensor> sequences = samples(x), of_memory = samples(memory);
    std::vector<at::Tensor> rows;
    for (std::size_t s = 0; s < sequences.size(); ++s) rows.push_back(heads(sequences[s], of_memory[s]));
    return hidden(at::cat(rows), x.shapes);
  }
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
  return layer.weights == AttentionWeights::none ? split_like(all, x) : hidden(all, x.shapes);
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
    const at::Tensor query = layer.weights == AttentionWeights::tied ? key : psi(project("Q"));
    std::vector<at::Tensor> rows;
    std::int64_t first = 0;
    for (const Shape& shape : value.shapes) {
      const std::int64_t length = sites(shape);
      const auto own = [&](const at::Tensor& all) { return all.narrow(0, first, length); };
      at::Tensor weights = at::matmul(own(query), own(key).t()) / key.size(1);
      if (layer.mask == Mask::causal) weights = weights.tril();
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
