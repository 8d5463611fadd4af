#include "nngpcheck/empirical/torch/twin.hpp"

#include <torch/torch.h>

#include <numbers>
#include <span>

#include "nngpcheck/empirical/interpreter/draws.hpp"
#include "nngpcheck/empirical/interpreter/products.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical {

namespace nn = torch::nn;

namespace twins {

using netsor::Activation;

std::int64_t sites(const Shape& shape) {
  std::int64_t result = 1;
  for (const std::int64_t size : shape) result *= size;
  return result;
}

at::Tensor joined(const Value& value) { return at::cat(value.blocks, 1); }

std::vector<at::Tensor> samples(const Value& value) {
  std::vector<std::int64_t> sizes;
  for (const Shape& shape : value.shapes) sizes.push_back(sites(shape));
  return joined(value).split_with_sizes(sizes);
}

Value split_like(const at::Tensor& all, const Value& like) {
  std::vector<std::int64_t> widths;
  for (const at::Tensor& block : like.blocks) widths.push_back(block.size(1));
  return {all.split_with_sizes(widths, 1), like.shapes, like.raw};
}

Value hidden(const at::Tensor& block, std::vector<Shape> shapes) {
  return {{block}, std::move(shapes), false};
}

at::Tensor Place::parameter(const std::string& suffix) const {
  const std::string full = name + "." + suffix;
  const auto found = parameters.find(full);
  if (found == parameters.end()) {
    throw SamplerError("twin: there is no parameter \"" + full +
                       "\"; draw the parameters of the program with the same options");
  }
  return to_tensor(found->second, at::kDouble);
}

namespace {

std::vector<std::string> block_names(const std::string& name, std::size_t blocks) {
  if (blocks == 1) return {name};
  std::vector<std::string> result;
  for (std::size_t k = 0; k < blocks; ++k) result.push_back(name + "@" + std::to_string(k));
  return result;
}

}  // namespace

double fan_in(const at::Tensor& weight) {
  return static_cast<double>(std::get<0>(nn::init::_calculate_fan_in_and_fan_out(weight)));
}

void Place::expect(const std::string& suffix, std::size_t blocks, const Law& law) const {
  for (const std::string& part : block_names(name + "." + suffix, blocks)) laws[part] = law;
}

std::vector<at::Tensor> Place::parts(const std::string& suffix, std::size_t blocks) const {
  std::vector<at::Tensor> result;
  for (const std::string& part : block_names(suffix, blocks)) result.push_back(parameter(part));
  return result;
}

at::Tensor Place::weight(const std::string& suffix, std::size_t blocks, double option) const {
  at::Tensor result = at::cat(parts(suffix, blocks), 1);
  expect(suffix, blocks, {0, option / fan_in(result)});
  return result;
}

at::Tensor Place::bias(const std::string& suffix, double variance) const {
  if (!(variance > 0)) return {};
  expect(suffix, 1, {0, variance});
  return parameter(suffix).flatten();
}

at::Tensor linear_map(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  nn::Linear module(nn::LinearOptions(weight.size(1), weight.size(0)).bias(bias.defined()));
  module->to(at::kDouble);
  module->weight.copy_(weight);
  if (bias.defined()) module->bias.copy_(bias);
  return module(x);
}

namespace {

template <class Function>
at::Tensor entrywise(const Function& function, const at::Tensor& x) {
  const at::Tensor values = x.clone(at::MemoryFormat::Contiguous);
  for (double& value : std::span(values.data_ptr<double>(), static_cast<std::size_t>(values.numel()))) {
    value = function(value);
  }
  return values;
}

// What torch::nn has no module for, by other formulas than the samplers'.
at::Tensor functional(const Activation& activation, const at::Tensor& x) {
  namespace F = nn::functional;
  switch (activation.kind()) {
    case Activation::Kind::abs:
      return at::where(x < 0, -x, x);
    case Activation::Kind::step:
      return (x > 0).to(at::kDouble);
    case Activation::Kind::sign:
      return (x > 0).to(at::kDouble) - (x < 0).to(at::kDouble);
    case Activation::Kind::square:
      return at::pow(x, 2);
    case Activation::Kind::relu_squared:
      return at::pow(F::relu(x), 2);
    case Activation::Kind::power:
      return at::pow(x, activation.parameter());
    case Activation::Kind::rectified_power:
      return at::pow(F::relu(x), activation.parameter());
    case Activation::Kind::erf:
      return at::erf(x);
    case Activation::Kind::erf_sigmoid:
      return at::special_ndtr(std::numbers::sqrt2 * x);
    case Activation::Kind::sin:
      return at::imag(at::polar(at::ones_like(x), x));
    case Activation::Kind::cos:
      return at::real(at::polar(at::ones_like(x), x));
    case Activation::Kind::exp:
      return at::expm1(x) + 1;
    case Activation::Kind::gaussian:
      return at::reciprocal(at::exp(at::square(x)));
    case Activation::Kind::expression:
      return entrywise([&](double value) { return activation.expression()(value); }, x);
    case Activation::Kind::custom:
      return entrywise(activation.function(), x);
    default:
      throw SamplerError("twin: activation \"" + activation.name() + "\" has no counterpart in LibTorch");
  }
}

nn::AnyModule activation_module(const Activation& activation) {
  switch (activation.kind()) {
    case Activation::Kind::identity:
      return nn::AnyModule(nn::Identity());
    case Activation::Kind::relu:
      return nn::AnyModule(nn::ReLU());
    case Activation::Kind::leaky_relu:
      return nn::AnyModule(nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(activation.parameter())));
    case Activation::Kind::sigmoid:
      return nn::AnyModule(nn::Sigmoid());
    case Activation::Kind::tanh:
      return nn::AnyModule(nn::Tanh());
    case Activation::Kind::hardtanh:
      return nn::AnyModule(nn::Hardtanh());
    case Activation::Kind::gelu:
      return nn::AnyModule(nn::GELU());
    case Activation::Kind::silu:
      return nn::AnyModule(nn::SiLU());
    case Activation::Kind::softplus:
      return nn::AnyModule(nn::Softplus());
    case Activation::Kind::elu:
      return nn::AnyModule(nn::ELU());
    default:
      return nn::AnyModule(
          nn::Functional([activation](const at::Tensor& x) { return functional(activation, x); }));
  }
}

// One row per sample.
Value pooled(const Value& value, const std::function<at::Tensor(const at::Tensor& sample)>& pool) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& sample : samples(value)) result.push_back(pool(sample));
  Value pools = split_like(at::stack(result), value);
  pools.shapes.assign(value.shapes.size(), {});
  return pools;
}

}  // namespace

std::function<at::Tensor(const at::Tensor&)> stock_activation(const Activation& activation) {
  return [module = activation_module(activation)](const at::Tensor& x) mutable { return module.forward(x); };
}

Value apply(const architectures::Layers& layers, Value value, const Place& place) {
  for (const architectures::Layer& layer : layers) {
    const Place own{layer.name, place.inputs, place.parameters, place.laws};
    value = std::visit([&](const auto& kind) { return apply(kind, value, own); }, layer.kind);
  }
  return value;
}

Value apply(const architectures::Dense& layer, const Value& value, const Place& place) {
  return hidden(linear_map(joined(value), place.weight("W", value.blocks.size(), layer.weight_variance),
                           place.bias("b", layer.bias_variance)),
                value.shapes);
}

Value apply(const architectures::Activate& layer, const Value& value, const Place&) {
  return split_like(stock_activation(layer.activation)(joined(value)), value);
}

Value apply(const architectures::GlobalAveragePool&, const Value& value, const Place&) {
  return pooled(value, [](const at::Tensor& sample) { return sample.mean(0); });
}

Value apply(const architectures::Last&, const Value& value, const Place&) {
  return pooled(value, [](const at::Tensor& sample) { return sample[-1]; });
}

Value apply(const architectures::Residual& layer, const Value& value, const Place& place) {
  Value result = apply(layer.layers, value, place);
  const Value shortcut = apply(layer.shortcut, value, place);
  for (std::size_t k = 0; k < result.blocks.size(); ++k) {
    result.blocks[k] = result.blocks[k] + shortcut.blocks.at(k);
  }
  return result;
}

Value apply(const architectures::Concat& layer, const Value& value, const Place& place) {
  Value result = apply(layer.branches.at(0), value, place);
  for (std::size_t b = 1; b < layer.branches.size(); ++b) {
    const Value branch = apply(layer.branches[b], value, place);
    result.blocks.insert(result.blocks.end(), branch.blocks.begin(), branch.blocks.end());
  }
  return result;
}

Value apply(const architectures::LayerNorm& layer, const Value& value, const Place& place) {
  const at::Tensor x = joined(value);
  nn::LayerNorm module(nn::LayerNormOptions({x.size(1)}).eps(layer.epsilon));
  module->to(at::kDouble);
  const auto set = [&](at::Tensor target, const char* suffix, const Law& law) {
    if (law.variance == 0) return;  // left at the mean, as the module has it
    target.copy_(at::cat(place.parts(suffix, value.blocks.size())).flatten());
    place.expect(suffix, value.blocks.size(), law);
  };
  set(module->weight, "gain", {1, layer.gain_variance});
  set(module->bias, "b", {0, layer.bias_variance});
  return split_like(module(x), value);
}

Value apply(const architectures::BatchNorm& layer, const Value& value, const Place& place) {
  std::map<int, std::vector<std::int64_t>> batches;  // their rows
  std::int64_t row = 0;
  for (std::size_t s = 0; s < value.shapes.size(); ++s) {
    auto& rows = batches[place.inputs.batch.empty() ? 0 : place.inputs.batch.at(s)];
    for (std::int64_t site = 0; site < sites(value.shapes[s]); ++site) rows.push_back(row++);
  }
  const at::Tensor x = joined(value);
  at::Tensor result = at::empty_like(x);
  for (const auto& [batch, rows] : batches) {
    nn::BatchNorm1d module(
        nn::BatchNormOptions(x.size(1)).eps(layer.epsilon).affine(false).track_running_stats(false));
    module->train();
    const at::Tensor index = at::tensor(rows);
    result.index_copy_(0, index, module(x.index_select(0, index)));
  }
  return split_like(result, value);
}

}  // namespace twins

namespace {

// Rows are columns in Eigen's order.
Eigen::MatrixXd columns(const at::Tensor& rows) {
  const at::Tensor values = rows.contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(values.data_ptr<double>(), values.size(1), values.size(0));
}

std::vector<twins::Shape> sample_shapes(const inputs::Inputs& inputs) {
  if (inputs.graph) return {{inputs.count()}};
  if (!inputs.lengths.empty()) {
    std::vector<twins::Shape> result;
    for (const Eigen::Index length : inputs.lengths) result.push_back({length});
    return result;
  }
  const twins::Shape shape(inputs.grid.begin(), inputs.grid.end());
  return std::vector<twins::Shape>(static_cast<std::size_t>(inputs.count() / twins::sites(shape)), shape);
}

}  // namespace

Parameters draw_parameters(const netsor::Program& program, std::int64_t width, std::uint64_t seed,
                           std::uint64_t network) {
  Parameters result;
  const auto draw_all = [&](const auto& objects) {
    for (const auto& given : objects) {
      const RandomObject object = random_object(given, width);
      at::Tensor values = at::empty({1, object.rows, object.columns}, at::kDouble);
      draw(object, {width, seed, network, 1}, values);
      result[object.name] = columns(values[0].t());
    }
  };
  draw_all(program.input_weights());
  draw_all(program.weights());
  draw_all(program.biases());
  return result;
}

namespace {

Eigen::MatrixXd run(const architectures::Network& network, const inputs::Inputs& inputs,
                    const Parameters& parameters, Laws& laws) {
  const torch::NoGradGuard no_gradients;
  const at::Tensor data = to_tensor(inputs.data.transpose(), at::kDouble);
  const twins::Value values = twins::apply(network.layers, {{data}, sample_shapes(inputs), true},
                                           twins::Place{"", inputs, parameters, laws});
  return columns(twins::joined(values));
}

}  // namespace

Eigen::MatrixXd twin(const architectures::Network& network, const inputs::Inputs& inputs,
                     const Parameters& parameters) {
  Laws laws;
  return run(network, inputs, parameters, laws);
}

Laws twin_laws(const architectures::Network& network, const inputs::Inputs& inputs,
               const Parameters& parameters) {
  Laws laws;
  run(network, inputs, parameters, laws);
  return laws;
}

}  // namespace nngpcheck::empirical
