#include "nngpcheck/empirical/torch/twin.hpp"

#include <torch/torch.h>

#include <cmath>
#include <numbers>
#include <span>

#include "nngpcheck/empirical/interpreter/draws.hpp"
#include "nngpcheck/empirical/interpreter/products.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical {

namespace nn = torch::nn;

namespace twins {

using architectures::MaskSharing;
using architectures::NetworkMode;
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

Value blocks_of(const Value& value, std::size_t first, std::size_t count) {
  const auto begin = value.blocks.begin() + static_cast<std::ptrdiff_t>(first);
  return {{begin, begin + static_cast<std::ptrdiff_t>(count)}, value.shapes, value.raw};
}

static std::vector<Shape> sample_shapes(const inputs::Inputs& inputs) {
  if (inputs.graph && inputs.graph_sizes.empty()) return {{inputs.count()}};
  if (inputs.graph) {
    std::vector<Shape> result;
    for (const Eigen::Index size : inputs.graph_sizes) result.push_back({size});
    return result;
  }
  if (!inputs.lengths.empty()) {
    std::vector<Shape> result;
    for (const Eigen::Index length : inputs.lengths) result.push_back({length});
    return result;
  }
  const Shape shape(inputs.grid.begin(), inputs.grid.end());
  return std::vector<Shape>(static_cast<std::size_t>(inputs.count() / sites(shape)), shape);
}

Value raw(const inputs::Inputs& inputs) {
  return {{to_tensor(inputs.data.transpose(), at::kDouble)}, sample_shapes(inputs), true};
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

std::string indexed(std::string name, const std::string& index) {
  name += '[';
  name += index;
  name += ']';
  return name;
}

std::string numbered(const std::string& name, int j, int of) {
  std::string result = name;
  if (of == 1) return result;
  result += '#';
  result += std::to_string(j);
  return result;
}

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

at::Tensor Place::bias(const std::string& suffix, double variance, double mean) const {
  if (!(variance > 0)) return {};
  expect(suffix, 1, {mean, variance});
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

Value apply(const architectures::Input& layer, const Value&, const Place& place) {
  return raw(place.inputs.named(layer.of));
}

Value apply(const architectures::Dense& layer, const Value& value, const Place& place) {
  Value result{{}, value.shapes, false};
  for (int j = 0; j < layer.blocks; ++j) {
    const int group = j / (layer.blocks / layer.groups);
    const at::Tensor channels = joined(value).chunk(layer.groups, 1)[static_cast<std::size_t>(group)];
    const std::size_t read =
        value.blocks.size() == 1 ? 1 : value.blocks.size() / static_cast<std::size_t>(layer.groups);
    result.blocks.push_back(
        linear_map(channels, place.weight(numbered("W", j, layer.blocks), read, layer.weight_variance),
                   place.bias(numbered("b", j, layer.blocks), layer.bias_variance)));
  }
  return result;
}

Value apply(const architectures::Activate& layer, const Value& value, const Place&) {
  return split_like(stock_activation(layer.activation)(joined(value)), value);
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

namespace {

// The branches, each as if one block were all of them and one site all of its sample.
template <class Combine>
Value combined(const std::vector<architectures::Layers>& branches, const Value& value, const Place& place,
               const Combine& both) {
  std::vector<Value> parts;
  for (const architectures::Layers& branch : branches) parts.push_back(apply(branch, value, place));
  Value result = parts.front();
  for (const Value& part : parts) {
    if (part.blocks[0].size(0) > result.blocks[0].size(0)) result.shapes = part.shapes;
    if (part.blocks.size() > result.blocks.size()) result.blocks.resize(part.blocks.size(), result.blocks[0]);
  }
  std::vector<std::int64_t> repeats;
  for (const Shape& shape : result.shapes) repeats.push_back(sites(shape));
  std::int64_t rows = 0;
  for (const std::int64_t count : repeats) rows += count;
  for (std::size_t k = 0; k < result.blocks.size(); ++k) {
    at::Tensor sum;
    for (const Value& part : parts) {
      at::Tensor block = part.blocks[part.blocks.size() == 1 ? 0 : k];
      if (block.size(0) != rows) block = at::repeat_interleave(block, at::tensor(repeats), 0);
      sum = sum.defined() ? both(sum, block) : block;
    }
    result.blocks[k] = sum;
  }
  return result;
}

}  // namespace

Value apply(const architectures::Product& layer, const Value& value, const Place& place) {
  return combined(layer.branches, value, place,
                  [](const at::Tensor& a, const at::Tensor& b) { return a * b; });
}

Value apply(const architectures::Maximum& layer, const Value& value, const Place& place) {
  return combined(layer.branches, value, place,
                  [](const at::Tensor& a, const at::Tensor& b) { return at::maximum(a, b); });
}

Value apply(const architectures::Glu& layer, const Value& value, const Place& place) {
  const auto affine = [&](const char* weight, const char* bias) {
    return linear_map(joined(value), place.weight(weight, value.blocks.size(), layer.weight_variance),
                      place.bias(bias, layer.bias_variance));
  };
  const at::Tensor x = affine("W", "b"), gate = affine("V", "c");
  if (layer.activation.kind() == Activation::Kind::sigmoid)
    return hidden(nn::functional::glu(at::cat({x, gate}, 1), nn::functional::GLUFuncOptions(1)),
                  value.shapes);
  return hidden(x * stock_activation(layer.activation)(gate), value.shapes);
}

Value apply(const architectures::Rescale& layer, const Value& value, const Place&) {
  return split_like(layer.factor * joined(value), value);
}

// nn::Dropout draws its masks itself; here the rows of g are given.
Value apply(const architectures::Dropout& layer, const Value& value, const Place& place) {
  if (layer.mode == NetworkMode::evaluation || layer.rate == 0) return value;
  std::vector<std::int64_t> repeats;
  for (const Shape& shape : value.shapes) repeats.push_back(sites(shape));
  const bool own = layer.shared == MaskSharing::none;
  const std::int64_t count = own ? value.blocks[0].size(0) : std::ssize(value.shapes);
  std::vector<at::Tensor> rows;
  for (std::int64_t j = 0; j < count; ++j) {
    const std::string name = indexed("mask", std::to_string(j));
    rows.push_back(at::cat(place.parts(name, value.blocks.size())).flatten());
    place.expect(name, value.blocks.size(), {0, 1});
  }
  at::Tensor normal = at::stack(rows);
  if (!own) normal = at::repeat_interleave(normal, at::tensor(repeats), 0);
  const at::Tensor zero = at::special_ndtr(normal) >= 1 - layer.rate;
  return split_like(at::masked_fill(joined(value) / (1 - layer.rate), zero, 0), value);
}

}  // namespace twins

namespace {

// Rows are columns in Eigen's order.
Eigen::MatrixXd columns(const at::Tensor& rows) {
  const at::Tensor values = rows.contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(values.data_ptr<double>(), values.size(1), values.size(0));
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
  const twins::Value values =
      twins::apply(network.layers, twins::raw(inputs), twins::Place{"", inputs, parameters, laws});
  at::Tensor result = twins::joined(values);
  if (network.readout_bias_variance > 0) {
    const double bias = std::sqrt(network.readout_bias_variance / network.readout_variance);
    result = at::cat({result, at::full_like(result, bias)}, 1);
  }
  return columns(result);
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
