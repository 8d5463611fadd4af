#include "empirical/twin.hpp"

#include <torch/torch.h>

#include "empirical/activations.hpp"
#include "empirical/draws.hpp"
#include "empirical/products.hpp"
#include "empirical/sampler.hpp"

namespace nngpcheck::empirical {

namespace {

namespace nn = torch::nn;
using netsor::Activation;

// One row per input, as torch::nn has it.
at::Tensor rows(const Eigen::MatrixXd& columns) { return to_tensor(columns.transpose(), at::kDouble); }

Eigen::MatrixXd columns(const at::Tensor& rows) {
  const at::Tensor values = rows.contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(values.data_ptr<double>(), values.size(1), values.size(0));
}

const Eigen::MatrixXd& find(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) {
    throw SamplerError("twin: there is no parameter \"" + name +
                       "\"; draw the parameters of the program with the same options");
  }
  return found->second;
}

void set(at::Tensor parameter, const Eigen::MatrixXd& value) {
  parameter.copy_(to_tensor(value, at::kDouble).view(parameter.sizes()));
}

// x ↦ weight·x + bias; no bias if its name is empty.
nn::Linear linear(const Parameters& parameters, const std::string& weight, const std::string& bias) {
  const Eigen::MatrixXd& matrix = find(parameters, weight);
  nn::Linear result(nn::LinearOptions(matrix.cols(), matrix.rows()).bias(!bias.empty()));
  result->to(at::kDouble);
  set(result->weight, matrix);
  if (!bias.empty()) set(result->bias, find(parameters, bias));
  return result;
}

nn::AnyModule stock_activation(const Activation& activation) {
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
          nn::Functional([activation](const at::Tensor& x) { return apply_activation(activation, x); }));
  }
}

// The rows of a fused module's parameter, gate by gate.
void set_gates(at::Tensor parameter, const Parameters& parameters, const std::string& prefix,
               const std::vector<std::string>& gates) {
  std::vector<at::Tensor> blocks;
  for (const std::string& gate : gates)
    blocks.push_back(to_tensor(find(parameters, prefix + gate), at::kDouble));
  parameter.copy_(at::cat(blocks).view(parameter.sizes()));
}

// The parameters of nn::RNN, nn::GRU or nn::LSTM with gates in LibTorch's order. Biases of variance 0 are 0.
template <class Module>
void set_all_gates(Module& module, const Parameters& parameters, const std::vector<std::string>& gates,
                   bool bias, bool hidden_bias) {
  module->to(at::kDouble);
  auto weights = module->named_parameters();
  set_gates(weights["weight_ih_l0"], parameters, "U", gates);
  set_gates(weights["weight_hh_l0"], parameters, "W", gates);
  weights["bias_ih_l0"].zero_();
  weights["bias_hh_l0"].zero_();
  if (bias) set_gates(weights["bias_ih_l0"], parameters, "b", gates);
  if (hidden_bias) set_gates(weights["bias_hh_l0"], parameters, "b'", gates);
}

// x, h ↦ U x + b + W h + b', and the two halves of it.
struct Gate {
  nn::Linear input, recurrent;

  Gate(const Parameters& parameters, const std::string& suffix, bool bias, bool hidden_bias = false)
      : input(linear(parameters, "U" + suffix, bias ? "b" + suffix : "")),
        recurrent(linear(parameters, "W" + suffix, hidden_bias ? "b'" + suffix : "")) {}

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& h) { return input(x) + recurrent(h); }
};

// The states [length, n] of one sequence [length, d].
using Recurrence = std::function<at::Tensor(const at::Tensor& sequence)>;

template <class Module>
Recurrence fused(Module module) {
  return [module](const at::Tensor& sequence) mutable {
    return std::get<0>(module->forward(sequence.unsqueeze(1))).squeeze(1);
  };
}

// One row x and the state before it ↦ the state after it, from state 0.
template <class Step>
Recurrence loop(const Parameters& parameters, const std::string& weight, Step step) {
  const std::int64_t width = find(parameters, weight).rows();
  return [width, step](const at::Tensor& sequence) mutable {
    Step fresh = step;  // a step may carry more state than its output
    at::Tensor state = at::zeros({1, width}, at::kDouble);
    std::vector<at::Tensor> states;
    for (std::int64_t t = 0; t < sequence.size(0); ++t) {
      state = fresh(sequence.narrow(0, t, 1), state);
      states.push_back(state);
    }
    return at::cat(states);
  };
}

bool is(const Activation& activation, Activation::Kind kind) { return activation.kind() == kind; }

Recurrence simple_rnn(const architectures::SimpleRnnOptions& options, const Parameters& parameters) {
  const bool bias = options.bias_variance > 0;
  const bool relu = is(options.activation, Activation::Kind::relu);
  if (relu || is(options.activation, Activation::Kind::tanh)) {
    const Eigen::MatrixXd& u = find(parameters, "U");
    nn::RNNOptions settings(u.cols(), u.rows());
    if (relu) settings.nonlinearity(torch::kReLU);
    nn::RNN module(settings);
    set_all_gates(module, parameters, {""}, bias, false);
    return fused(module);
  }
  return loop(parameters, "W",
              [sum = Gate(parameters, "", bias), phi = stock_activation(options.activation)](
                  const at::Tensor& x, const at::Tensor& h) mutable { return phi.forward(sum(x, h)); });
}

Recurrence gru(const architectures::GruOptions& options, const Parameters& parameters) {
  const bool bias = options.bias_variance > 0;
  const bool hidden_bias = options.hidden_bias_variance > 0;
  const bool torch_convention = options.convention == "torch";
  if (torch_convention && is(options.activation, Activation::Kind::tanh) &&
      is(options.gate_activation, Activation::Kind::sigmoid)) {
    const Eigen::MatrixXd& u = find(parameters, "U_z");
    nn::GRU module(nn::GRUOptions(u.cols(), u.rows()));
    set_all_gates(module, parameters, {"_r", "_z", "_c"}, bias, hidden_bias);
    return fused(module);
  }
  const auto gate = [&](const char* suffix) { return Gate(parameters, suffix, bias, hidden_bias); };
  return loop(parameters, "W_z",
              [=, update = gate("_z"), reset = gate("_r"), candidate = gate("_c"),
               phi = stock_activation(options.activation), sigma = stock_activation(options.gate_activation)](
                  const at::Tensor& x, const at::Tensor& h) mutable {
                const at::Tensor z = sigma.forward(update(x, h));
                const at::Tensor r = sigma.forward(reset(x, h));
                if (torch_convention) {
                  return (1 - z) * phi.forward(candidate.input(x) + r * candidate.recurrent(h)) + z * h;
                }
                return (1 - z) * h + z * phi.forward(candidate(x, r * h));
              });
}

Recurrence lstm(const architectures::LstmOptions& options, const Parameters& parameters) {
  const bool bias = options.bias_variance > 0;
  if (is(options.activation, Activation::Kind::tanh) &&
      is(options.gate_activation, Activation::Kind::sigmoid)) {
    const Eigen::MatrixXd& u = find(parameters, "U_i");
    nn::LSTM module(nn::LSTMOptions(u.cols(), u.rows()));
    set_all_gates(module, parameters, {"_i", "_f", "_g", "_o"}, bias, false);
    return fused(module);
  }
  const auto gate = [&](const char* suffix) { return Gate(parameters, suffix, bias); };
  return loop(parameters, "W_i",
              [input = gate("_i"), forget = gate("_f"), candidate = gate("_g"), exposed = gate("_o"),
               phi = stock_activation(options.activation), sigma = stock_activation(options.gate_activation),
               cell = at::Tensor()](const at::Tensor& x, const at::Tensor& h) mutable {
                const at::Tensor update = sigma.forward(input(x, h)) * phi.forward(candidate(x, h));
                cell = cell.defined() ? sigma.forward(forget(x, h)) * cell + update : update;
                return sigma.forward(exposed(x, h)) * phi.forward(cell);
              });
}

// The states that are read out, sequence by sequence.
Eigen::MatrixXd outputs(const Recurrence& states, const std::string& output,
                        const architectures::Inputs& inputs) {
  const at::Tensor data = rows(inputs.data);
  std::vector<at::Tensor> result;
  std::int64_t first = 0;
  for (const std::int64_t length : inputs.lengths) {
    const at::Tensor sequence = states(data.narrow(0, first, length));
    first += length;
    if (output == "last") {
      result.push_back(sequence.narrow(0, length - 1, 1));
    } else if (output == "average") {
      result.push_back(sequence.mean(0, /*keepdim=*/true));
    } else {
      result.push_back(sequence);
    }
  }
  return columns(at::cat(result));
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

Eigen::MatrixXd mlp_twin(const architectures::MlpOptions& options, const architectures::Inputs& inputs,
                         const Parameters& parameters) {
  const torch::NoGradGuard no_gradients;
  nn::Sequential layers;
  for (int layer = 1; layer <= options.depth; ++layer) {
    const std::string number = std::to_string(layer);
    layers->push_back(
        linear(parameters, layer == 1 ? "U" : "W" + number, options.bias_variance > 0 ? "b" + number : ""));
    layers->push_back(stock_activation(options.activation));
  }
  return columns(layers->forward(rows(inputs.data)));
}

Eigen::MatrixXd simple_rnn_twin(const architectures::SimpleRnnOptions& options,
                                const architectures::Inputs& inputs, const Parameters& parameters) {
  const torch::NoGradGuard no_gradients;
  return outputs(simple_rnn(options, parameters), options.output, inputs);
}

Eigen::MatrixXd gru_twin(const architectures::GruOptions& options, const architectures::Inputs& inputs,
                         const Parameters& parameters) {
  const torch::NoGradGuard no_gradients;
  return outputs(gru(options, parameters), options.output, inputs);
}

Eigen::MatrixXd lstm_twin(const architectures::LstmOptions& options, const architectures::Inputs& inputs,
                          const Parameters& parameters) {
  const torch::NoGradGuard no_gradients;
  return outputs(lstm(options, parameters), options.output, inputs);
}

}  // namespace nngpcheck::empirical
