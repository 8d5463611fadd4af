#include <torch/torch.h>

#include <optional>

#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
using architectures::GruConvention;
using netsor::Activation;

bool is(const Activation& activation, Activation::Kind kind) { return activation.kind() == kind; }

bool stock(const Activation& activation, const Activation& gate_activation) {
  return is(activation, Activation::Kind::tanh) && is(gate_activation, Activation::Kind::sigmoid);
}

// A recurrent layer's random objects, by the gate's suffix: "" or "_z".
struct Gates {
  const Place& place;
  std::size_t blocks;  // of its input
  double input_variance, weight_variance, bias_variance, hidden_bias_variance;
  bool layer_norm;
  double epsilon;

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
        layer_norm(layer.layer_norm),
        epsilon(layer.epsilon) {}

  at::Tensor input(const std::string& gate) const { return place.weight("U" + gate, blocks, input_variance); }
  at::Tensor recurrent(const std::string& gate) const { return place.weight("W" + gate, 1, weight_variance); }
  at::Tensor bias(const std::string& gate, double mean = 0) const {
    const at::Tensor drawn = place.bias("b" + gate, bias_variance, mean);
    return drawn.defined() || mean == 0 ? drawn : at::full({recurrent(gate).size(0)}, mean, at::kDouble);
  }
  at::Tensor hidden_bias(const std::string& gate) const {
    return place.bias("b'" + gate, hidden_bias_variance);
  }
};

// What is there before the first site of a sequence, [1, n] each; only an LSTM has the second.
struct States {
  at::Tensor state, cell;
};

// The states [length, n] of one sequence [length, d].
using Recurrence = std::function<at::Tensor(const at::Tensor& sequence, const States& initial)>;

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
  return [module](const at::Tensor& sequence, const States& initial) mutable {
    const at::Tensor steps = sequence.unsqueeze(1), state = initial.state.unsqueeze(0);
    if constexpr (std::is_same_v<Module, nn::LSTM>) {
      return std::get<0>(module->forward(steps, std::tuple(state, initial.cell.unsqueeze(0)))).squeeze(1);
    } else {
      return std::get<0>(module->forward(steps, state)).squeeze(1);
    }
  };
}

// nn::LayerNorm over all columns; a state 0 stays.
at::Tensor normalized(const at::Tensor& row, double epsilon) {
  if (!row.any().item<bool>()) return row;
  nn::LayerNorm module(nn::LayerNormOptions({row.size(1)}).eps(epsilon).elementwise_affine(false));
  return module(row);
}

// The gates that a layer norm is of together, and one of them.
struct Group {
  std::vector<std::string> together;
  std::size_t own = 0;
};

// x, h ↦ U x + b + W h + b', and the two halves of it; U x and W h normalized among those of a group.
class Gate {
 public:
  Gate(const Gates& gates, const Group& group, double bias_mean = 0)
      : own_(gates.layer_norm ? group.own : 0),
        input_bias_(gates.bias(group.together[group.own], bias_mean)),
        hidden_bias_(gates.hidden_bias(group.together[group.own])) {
    if (gates.layer_norm) epsilon_ = gates.epsilon;
    for (std::size_t k = 0; k < group.together.size(); ++k) {
      if (!gates.layer_norm && k != group.own) continue;
      input_.push_back(gates.input(group.together[k]));
      recurrent_.push_back(gates.recurrent(group.together[k]));
    }
  }

  at::Tensor input(const at::Tensor& x) const { return affine(x, input_, input_bias_); }
  at::Tensor recurrent(const at::Tensor& h) const { return affine(h, recurrent_, hidden_bias_); }
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& h) const { return input(x) + recurrent(h); }

 private:
  at::Tensor affine(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                    const at::Tensor& bias) const {
    at::Tensor products = linear_map(x, at::cat(weights));
    if (epsilon_) products = normalized(products, *epsilon_);
    const at::Tensor own = products.chunk(std::ssize(weights), 1)[own_];
    return bias.defined() ? own + bias : own;
  }

  std::size_t own_;
  std::optional<double> epsilon_;
  std::vector<at::Tensor> input_, recurrent_;
  at::Tensor input_bias_, hidden_bias_;
};

// One row x and the states before it ↦ those after it.
template <class Step>
Recurrence loop(Step step) {
  return [step](const at::Tensor& sequence, const States& initial) {
    States now = initial;
    std::vector<at::Tensor> states;
    for (std::int64_t t = 0; t < sequence.size(0); ++t) {
      now = step(sequence.narrow(0, t, 1), now);
      states.push_back(now.state);
    }
    return at::cat(states);
  };
}

Recurrence recurrence(const architectures::SimpleRnn& layer, const Place& place, std::size_t blocks) {
  Gates gates(layer, place, blocks);
  const bool relu = is(layer.activation, Activation::Kind::relu);
  if (!layer.layer_norm && (relu || is(layer.activation, Activation::Kind::tanh))) {
    nn::RNNOptions options(gates.input("").size(1), gates.input("").size(0));
    if (relu) options.nonlinearity(torch::kReLU);
    return fused<nn::RNN>(options, gates, {""});
  }
  const at::Tensor bias = layer.layer_norm ? gates.bias("") : at::Tensor();
  if (layer.layer_norm) gates.bias_variance = 0;
  gates.layer_norm = false;  // that of the sum is here
  return loop([sum = Gate(gates, {{""}}), phi = stock_activation(layer.activation), bias,
               epsilon = layer.layer_norm ? std::optional(layer.epsilon) : std::nullopt](
                  const at::Tensor& x, const States& before) -> States {
    at::Tensor result = sum(x, before.state);
    if (epsilon) result = normalized(result, *epsilon);
    return {phi(bias.defined() ? result + bias : result), {}};
  });
}

Recurrence recurrence(const architectures::Gru& layer, const Place& place, std::size_t blocks) {
  const Gates gates(layer, place, blocks);
  const bool torch_convention = layer.convention == GruConvention::torch;
  if (torch_convention && !layer.layer_norm && stock(layer.activation, layer.gate_activation)) {
    const nn::GRUOptions options(gates.input("_z").size(1), gates.recurrent("_z").size(0));
    return fused<nn::GRU>(options, gates, {"_r", "_z", "_c"});
  }
  const std::vector<std::string> both = {"_z", "_r"};
  return loop(
      [torch_convention, update = Gate(gates, {both, 0}), reset = Gate(gates, {both, 1}),
       candidate = Gate(gates, {{"_c"}}), phi = stock_activation(layer.activation),
       sigma = stock_activation(layer.gate_activation)](const at::Tensor& x, const States& before) -> States {
        const at::Tensor& h = before.state;
        const at::Tensor z = sigma(update(x, h));
        const at::Tensor r = sigma(reset(x, h));
        if (torch_convention)
          return {(1 - z) * phi(candidate.input(x) + r * candidate.recurrent(h)) + z * h, {}};
        return {(1 - z) * h + z * phi(candidate(x, r * h)), {}};
      });
}

Recurrence recurrence(const architectures::Lstm& layer, const Place& place, std::size_t blocks) {
  const Gates gates(layer, place, blocks);
  if (!layer.layer_norm && stock(layer.activation, layer.gate_activation)) {
    const nn::LSTMOptions options(gates.input("_i").size(1), gates.recurrent("_i").size(0));
    return fused<nn::LSTM>(options, gates, {"_i", "_f", "_g", "_o"}, layer.forget_bias);
  }
  const std::vector<std::string> all = {"_i", "_f", "_g", "_o"};
  return loop([input = Gate(gates, {all, 0}), forget = Gate(gates, {all, 1}, layer.forget_bias),
               candidate = Gate(gates, {all, 2}), exposed = Gate(gates, {all, 3}),
               phi = stock_activation(layer.activation), sigma = stock_activation(layer.gate_activation),
               epsilon = layer.layer_norm ? std::optional(layer.epsilon) : std::nullopt](
                  const at::Tensor& x, const States& before) -> States {
    const at::Tensor& h = before.state;
    const at::Tensor cell = sigma(forget(x, h)) * before.cell + sigma(input(x, h)) * phi(candidate(x, h));
    return {sigma(exposed(x, h)) * phi(epsilon ? normalized(cell, *epsilon) : cell), cell};
  });
}

at::Tensor states(const Recurrence& recurrence, const std::vector<at::Tensor>& sequences,
                  const std::vector<States>& initial, bool reversed) {
  std::vector<at::Tensor> result;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const at::Tensor& x = sequences[s];
    result.push_back(reversed ? recurrence(x.flip(0), initial[s]).flip(0) : recurrence(x, initial[s]));
  }
  return at::cat(result);
}

// A direction's states before the first site, by sample: given by layers, drawn, or 0.
template <class Recurrent>
std::vector<States> initial_states(const Recurrent& layer, const Place& place, std::size_t samples,
                                   std::size_t block, std::int64_t width) {
  std::vector<States> result(samples);
  const auto fill = [&](at::Tensor States::*member, const architectures::Layers& layers,
                        const std::string& name) {
    at::Tensor rows = at::zeros({static_cast<std::int64_t>(samples), width}, at::kDouble);
    if (!layers.empty()) {
      rows = apply(layers, raw(place.inputs), place).blocks[block];
    } else if (layer.initial_variance > 0) {
      rows = rows + place.bias(name, layer.initial_variance);
    }
    for (std::size_t s = 0; s < samples; ++s)
      result[s].*member = rows.narrow(0, static_cast<std::int64_t>(s), 1);
  };
  fill(&States::state, layer.initial, "h0");
  if constexpr (requires { layer.initial_cell; }) fill(&States::cell, layer.initial_cell, "c0");
  return result;
}

// One of the weights on the state, which all have n rows.
std::string any_gate(const architectures::SimpleRnn&) { return "W"; }
std::string any_gate(const architectures::Gru&) { return "W_z"; }
std::string any_gate(const architectures::Lstm&) { return "W_i"; }

template <class Recurrent>
Value run(const Recurrent& layer, const Value& value, const Place& place) {
  const std::vector<at::Tensor> sequences = samples(value);
  const auto direction = [&](const Place& at, std::size_t block) {
    const std::vector<States> initial =
        initial_states(layer, at, sequences.size(), block, at.parameter(any_gate(layer)).size(0));
    return states(recurrence(layer, at, value.blocks.size()), sequences, initial, block == 1);
  };
  Value result = hidden(direction(place, 0), value.shapes);
  if (layer.bidirectional) {
    const Place reverse{place.name + ".reverse", place.inputs, place.parameters, place.laws};
    result.blocks.push_back(direction(reverse, 1));
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
