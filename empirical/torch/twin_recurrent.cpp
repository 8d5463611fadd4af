#include <torch/torch.h>

#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
using netsor::Activation;

bool is(const Activation& activation, Activation::Kind kind) { return activation.kind() == kind; }

bool stock(const Activation& activation, const Activation& gate_activation) {
  return is(activation, Activation::Kind::tanh) && is(gate_activation, Activation::Kind::sigmoid);
}

// A recurrent layer's random objects, by the gate's suffix: "" or "_z".
struct Gates {
  const Place& place;
  std::size_t blocks;  // of its input
  double input_variance, weight_variance, bias_variance, hidden_bias_variance, initial_variance;

  template <class Layer>
  Gates(const Layer& layer, const Place& at, std::size_t input_blocks)
      : place(at),
        blocks(input_blocks),
        input_variance(layer.input_variance),
        weight_variance(layer.weight_variance),
        bias_variance(layer.bias_variance),
        hidden_bias_variance([&] {
          if constexpr (requires { layer.hidden_bias_variance; }) return layer.hidden_bias_variance;
          return 0.0;
        }()),
        initial_variance(layer.initial_variance) {}

  at::Tensor input(const std::string& gate) const { return place.weight("U" + gate, blocks, input_variance); }
  at::Tensor recurrent(const std::string& gate) const { return place.weight("W" + gate, 1, weight_variance); }
  at::Tensor bias(const std::string& gate, double mean = 0) const {
    const at::Tensor drawn = place.bias("b" + gate, bias_variance, mean);
    return drawn.defined() || mean == 0 ? drawn : at::full({recurrent(gate).size(0)}, mean, at::kDouble);
  }
  // [1, n], the state before the first site.
  at::Tensor initial(const std::string& name, std::int64_t width) const {
    const at::Tensor drawn = place.bias(name, initial_variance);
    return drawn.defined() ? drawn.unsqueeze(0) : at::zeros({1, width}, at::kDouble);
  }
  at::Tensor hidden_bias(const std::string& gate) const {
    return place.bias("b'" + gate, hidden_bias_variance);
  }
};

// The states [length, n] of one sequence [length, d].
using Recurrence = std::function<at::Tensor(const at::Tensor& sequence)>;

// nn::RNN, nn::GRU or nn::LSTM with gates in LibTorch's order. Biases of variance 0 are 0.
template <class Module, class Options>
Recurrence fused(const Options& options, const Gates& gates, const std::vector<std::string>& order,
                 double forget_bias = 0) {
  Module module(options);
  module->to(at::kDouble);
  std::vector<at::Tensor> input, recurrent, bias, hidden_bias;
  for (const std::string& gate : order) {
    input.push_back(gates.input(gate));
    recurrent.push_back(gates.recurrent(gate));
    const bool forget = gate == "_f";
    at::Tensor drawn = gates.bias(gate, forget ? forget_bias : 0);
    if (!drawn.defined()) drawn = at::zeros({recurrent.back().size(0)}, at::kDouble);
    bias.push_back(drawn);
    if (gates.hidden_bias_variance > 0) hidden_bias.push_back(gates.hidden_bias(gate));
  }
  const auto set = [&](const char* name, const std::vector<at::Tensor>& parts) {
    at::Tensor target = module->named_parameters()[name];
    parts.empty() ? target.zero_() : target.copy_(at::cat(parts));
  };
  set("weight_ih_l0", input);
  set("weight_hh_l0", recurrent);
  set("bias_ih_l0", bias);
  set("bias_hh_l0", hidden_bias);
  const at::Tensor state = gates.initial("h0", recurrent[0].size(0)).unsqueeze(0);
  if constexpr (std::is_same_v<Module, nn::LSTM>) {
    const at::Tensor cell = gates.initial("c0", recurrent[0].size(0)).unsqueeze(0);
    return [module, state, cell](const at::Tensor& sequence) mutable {
      return std::get<0>(module->forward(sequence.unsqueeze(1), std::tuple(state, cell))).squeeze(1);
    };
  } else {
    return [module, state](const at::Tensor& sequence) mutable {
      return std::get<0>(module->forward(sequence.unsqueeze(1), state)).squeeze(1);
    };
  }
}

// x, h ↦ U x + b + W h + b', and the two halves of it.
struct Gate {
  at::Tensor input_weight, recurrent_weight, input_bias, hidden_bias;

  Gate(const Gates& gates, const std::string& gate, double bias_mean = 0)
      : input_weight(gates.input(gate)),
        recurrent_weight(gates.recurrent(gate)),
        input_bias(gates.bias(gate, bias_mean)),
        hidden_bias(gates.hidden_bias(gate)) {}

  at::Tensor input(const at::Tensor& x) const { return linear_map(x, input_weight, input_bias); }
  at::Tensor recurrent(const at::Tensor& h) const { return linear_map(h, recurrent_weight, hidden_bias); }
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& h) const { return input(x) + recurrent(h); }
};

// One row x and the state before it ↦ the state after it, from the initial one.
template <class Step>
Recurrence loop(const at::Tensor& initial, Step step) {
  return [initial, step](const at::Tensor& sequence) {
    Step fresh = step;  // a step may carry more state than its output
    at::Tensor state = initial;
    std::vector<at::Tensor> states;
    for (std::int64_t t = 0; t < sequence.size(0); ++t) {
      state = fresh(sequence.narrow(0, t, 1), state);
      states.push_back(state);
    }
    return at::cat(states);
  };
}

Recurrence recurrence(const architectures::SimpleRnn& layer, const Place& place, std::size_t blocks) {
  const Gates gates(layer, place, blocks);
  const bool relu = is(layer.activation, Activation::Kind::relu);
  if (relu || is(layer.activation, Activation::Kind::tanh)) {
    nn::RNNOptions options(gates.input("").size(1), gates.input("").size(0));
    if (relu) options.nonlinearity(torch::kReLU);
    return fused<nn::RNN>(options, gates, {""});
  }
  return loop(gates.initial("h0", gates.recurrent("").size(0)),
              [sum = Gate(gates, ""), phi = stock_activation(layer.activation)](
                  const at::Tensor& x, const at::Tensor& h) { return phi(sum(x, h)); });
}

Recurrence recurrence(const architectures::Gru& layer, const Place& place, std::size_t blocks) {
  const Gates gates(layer, place, blocks);
  const std::int64_t width = gates.recurrent("_z").size(0);
  const bool torch_convention = layer.convention == "torch";
  if (torch_convention && stock(layer.activation, layer.gate_activation)) {
    const nn::GRUOptions options(gates.input("_z").size(1), width);
    return fused<nn::GRU>(options, gates, {"_r", "_z", "_c"});
  }
  return loop(
      gates.initial("h0", width),
      [torch_convention, update = Gate(gates, "_z"), reset = Gate(gates, "_r"), candidate = Gate(gates, "_c"),
       phi = stock_activation(layer.activation), sigma = stock_activation(layer.gate_activation)](
          const at::Tensor& x, const at::Tensor& h) -> at::Tensor {
        const at::Tensor z = sigma(update(x, h));
        const at::Tensor r = sigma(reset(x, h));
        if (torch_convention) return (1 - z) * phi(candidate.input(x) + r * candidate.recurrent(h)) + z * h;
        return (1 - z) * h + z * phi(candidate(x, r * h));
      });
}

Recurrence recurrence(const architectures::Lstm& layer, const Place& place, std::size_t blocks) {
  const Gates gates(layer, place, blocks);
  const std::int64_t width = gates.recurrent("_i").size(0);
  if (stock(layer.activation, layer.gate_activation)) {
    const nn::LSTMOptions options(gates.input("_i").size(1), width);
    return fused<nn::LSTM>(options, gates, {"_i", "_f", "_g", "_o"}, layer.forget_bias);
  }
  return loop(
      gates.initial("h0", width),
      [input = Gate(gates, "_i"), forget = Gate(gates, "_f", layer.forget_bias),
       candidate = Gate(gates, "_g"), exposed = Gate(gates, "_o"), phi = stock_activation(layer.activation),
       sigma = stock_activation(layer.gate_activation),
       cell = gates.initial("c0", width)](const at::Tensor& x, const at::Tensor& h) mutable -> at::Tensor {
        cell = sigma(forget(x, h)) * cell + sigma(input(x, h)) * phi(candidate(x, h));
        return sigma(exposed(x, h)) * phi(cell);
      });
}

at::Tensor states(const Recurrence& recurrence, const std::vector<at::Tensor>& sequences, bool reversed) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& sequence : sequences) {
    result.push_back(reversed ? recurrence(sequence.flip(0)).flip(0) : recurrence(sequence));
  }
  return at::cat(result);
}

template <class Recurrent>
Value run(const Recurrent& layer, const Value& value, const Place& place) {
  const std::vector<at::Tensor> sequences = samples(value);
  Value result =
      hidden(states(recurrence(layer, place, value.blocks.size()), sequences, false), value.shapes);
  if (layer.bidirectional) {
    const Place reverse{place.name + ".reverse", place.inputs, place.parameters, place.laws};
    result.blocks.push_back(states(recurrence(layer, reverse, value.blocks.size()), sequences, true));
  }
  return result;
}

}  // namespace

Value apply(const architectures::SimpleRnn& layer, const Value& value, const Place& place) {
  return run(layer, value, place);
}
Value apply(const architectures::Gru& layer, const Value& value, const Place& place) {
  return run(layer, value, place);
}
Value apply(const architectures::Lstm& layer, const Value& value, const Place& place) {
  return run(layer, value, place);
}

}  // namespace nngpcheck::empirical::twins
