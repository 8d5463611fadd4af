// Norms, by the modules of torch::nn.
#include <torch/torch.h>

#include <map>

#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
using architectures::NetworkMode;
using architectures::NormOver;

// A module's parameter from "L.suffix" of all blocks; left as the module has it if the law is a constant.
void set(at::Tensor target, const char* suffix, const Law& law, const Value& value, const Place& place) {
  if (law.variance == 0) return;
  target.copy_(at::cat(place.parts(suffix, value.blocks.size())).flatten());
  place.expect(suffix, value.blocks.size(), law);
}

template <class Module, class Layer>
void set_affine(Module& module, const Layer& layer, const Value& value, const Place& place) {
  module->to(at::kDouble);
  set(module->weight, "gain", {1, layer.gain_variance}, value, place);
  set(module->bias, "b", {0, layer.bias_variance}, value, place);
}

// [1, channels, sites] of every sample, through `module`.
template <class Map>
Value by_sample(const Value& value, const Map& module) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& sample : samples(value)) rows.push_back(module(sample.t().unsqueeze(0))[0].t());
  return split_like(at::cat(rows), value);
}

// The rows of every batch.
std::map<int, std::vector<std::int64_t>> batches(const Value& value, const Place& place) {
  std::map<int, std::vector<std::int64_t>> result;
  std::int64_t row = 0;
  for (std::size_t s = 0; s < value.shapes.size(); ++s) {
    auto& rows = result[place.inputs.batch.empty() ? 0 : place.inputs.batch.at(s)];
    for (std::int64_t site = 0; site < sites(value.shapes[s]); ++site) rows.push_back(row++);
  }
  return result;
}

}  // namespace

Value apply(const architectures::LayerNorm& layer, const Value& value, const Place& place) {
  const at::Tensor x = joined(value);
  if (layer.over == NormOver::sample) {
    nn::GroupNorm module(nn::GroupNormOptions(1, x.size(1)).eps(layer.epsilon));
    set_affine(module, layer, value, place);
    return by_sample(value, [&](const at::Tensor& sample) { return module(sample); });
  }
  nn::LayerNorm module(nn::LayerNormOptions({x.size(1)}).eps(layer.epsilon));
  set_affine(module, layer, value, place);
  return split_like(module(x), value);
}

// LibTorch 1.13 has no RMSNorm; this is its definition.
Value apply(const architectures::RmsNorm& layer, const Value& value, const Place& place) {
  const auto normalized = [&](const at::Tensor& x, at::IntArrayRef axes) {
    return x * at::rsqrt(at::pow(x, 2).mean(axes, /*keepdim=*/true) + layer.epsilon);
  };
  Value result = layer.over == NormOver::width ? split_like(normalized(joined(value), {1}), value)
                                               : by_sample(value, [&](const at::Tensor& sample) {
                                                   return normalized(sample, {1, 2});
                                                 });
  if (layer.gain_variance == 0) return result;
  at::Tensor gain = at::ones({joined(value).size(1)}, at::kDouble);
  set(gain, "gain", {1, layer.gain_variance}, value, place);
  return split_like(joined(result) * gain, value);
}

Value apply(const architectures::GroupNorm& layer, const Value& value, const Place& place) {
  nn::GroupNorm module(nn::GroupNormOptions(layer.groups, joined(value).size(1)).eps(layer.epsilon));
  set_affine(module, layer, value, place);
  return by_sample(value, [&](const at::Tensor& sample) { return module(sample); });
}

Value apply(const architectures::InstanceNorm& layer, const Value& value, const Place& place) {
  nn::InstanceNorm1d module(nn::InstanceNormOptions(joined(value).size(1))
                                .eps(layer.epsilon)
                                .affine(true)
                                .track_running_stats(false));
  set_affine(module, layer, value, place);
  return by_sample(value, [&](const at::Tensor& sample) { return module(sample); });
}

Value apply(const architectures::BatchNorm& layer, const Value& value, const Place& place) {
  const at::Tensor x = joined(value);
  const bool evaluation = layer.mode == NetworkMode::evaluation;
  nn::BatchNorm1d module(nn::BatchNormOptions(x.size(1)).eps(layer.epsilon).track_running_stats(evaluation));
  set_affine(module, layer, value, place);
  if (evaluation) {
    module->running_mean.fill_(layer.running_mean);
    module->running_var.fill_(layer.running_variance);
    module->eval();
    return split_like(module(x), value);
  }
  at::Tensor result = at::empty_like(x);
  for (const auto& [batch, rows] : batches(value, place)) {
    const at::Tensor index = at::tensor(rows);
    result.index_copy_(0, index, module(x.index_select(0, index)));
  }
  return split_like(result, value);
}

}  // namespace nngpcheck::empirical::twins
