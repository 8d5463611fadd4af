// Recurrent layers and cells, step by step.
#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

/// Parameters of one layer in one direction.
struct Parameters {
  const Tensor *input, *hidden, *input_bias = nullptr, *hidden_bias = nullptr, *projection = nullptr;
};

/// State in, state out: h, and c of an LSTM.
using Cell_ = std::function<Tensors(Algebra&, const Tensor& x, const Tensors& state, const Parameters&)>;

Tensor map(Algebra& a, const char* activation, const Tensor& x) { return a.map(activation, x); }

Tensors gates(Algebra& a, const Tensor& x, std::size_t count) {
  Size part = a.widths().size(x.axes.back());
  for (std::int64_t& s : part) s /= static_cast<std::int64_t>(count);
  return a.split(x, -1, std::vector<Size>(count, part));
}

Tensors simple_step(Algebra& a, const char* activation, const Tensor& x, const Tensors& state,
                    const Parameters& p) {
  return {map(a, activation,
              a.add(a.linear(x, *p.input, p.input_bias), a.linear(state[0], *p.hidden, p.hidden_bias)))};
}

Tensors lstm_step(Algebra& a, const Tensor& x, const Tensors& state, const Parameters& p) {
  const Tensor sum = a.add(a.linear(x, *p.input, p.input_bias), a.linear(state[0], *p.hidden, p.hidden_bias));
  const Tensors g = gates(a, sum, 4);  // i, f, g, o
  const Tensor c = a.add(a.multiply(map(a, "sigmoid", g[1]), state[1]),
                         a.multiply(map(a, "sigmoid", g[0]), map(a, "tanh", g[2])));
  Tensor h = a.multiply(map(a, "sigmoid", g[3]), map(a, "tanh", c));
  if (p.projection) h = a.linear(h, *p.projection, nullptr);
  return {h, c};
}

Tensors gru_step(Algebra& a, const Tensor& x, const Tensors& state, const Parameters& p) {
  const Tensors u = gates(a, a.linear(x, *p.input, p.input_bias), 3);  // r, z, n
  const Tensors v = gates(a, a.linear(state[0], *p.hidden, p.hidden_bias), 3);
  const Tensor r = map(a, "sigmoid", a.add(u[0], v[0])), z = map(a, "sigmoid", a.add(u[1], v[1]));
  const Tensor n = map(a, "tanh", a.add(u[2], a.multiply(r, v[2])));
  // (1 − z) n + z h
  return {a.add(a.add(n, a.multiply(z, n), constant_values(-1)), a.multiply(z, state[0]))};
}

/// All layers and directions over a sequence; the outputs of torch: the sequence, and the last states.
Tensors recurrent(const Call& call, const Cell_& step, std::size_t states, bool projected) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("input");
  const bool batched = x.axes.size() == 3;
  if (!batched) throw Refusal{"reject", "argument:" + call.name(), "a recurrent layer without a batch axis"};
  const bool batch_first = call.flag("batch_first");
  if (batch_first) x = a.transpose(x, 0, 1);
  const Tensors parameters = call.tensors("params");
  const bool biases = call.flag("has_biases"), both = call.flag("bidirectional");
  const Tensors given = states == 2 ? call.tensors("hx") : Tensors{call.tensor("hx")};
  const std::size_t per = (biases ? 4 : 2) + (projected ? 1 : 0);
  const std::size_t layers = static_cast<std::size_t>(call.integer("num_layers")), directions = both ? 2 : 1;
  if (parameters.size() != per * layers * directions || given.size() != states)
    throw Refusal{"reject", "argument:" + call.name(), "a recurrent layer with another number of parameters"};
  std::vector<Tensors> last(states);
  const std::int64_t steps = slots(x.axes[0]);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    Tensors outputs;
    for (std::size_t d = 0; d < directions; ++d) {
      const std::size_t number = layer * directions + d;
      const Tensor* first = &parameters[number * per];
      Parameters p{first, first + 1};
      if (biases) {
        p.input_bias = first + 2;
        p.hidden_bias = first + 3;
      }
      if (projected) p.projection = first + (biases ? 4 : 2);
      Tensors state;
      for (const Tensor& s : given) state.push_back(a.select(s, 0, static_cast<std::int64_t>(number)));
      Tensors sequence(static_cast<std::size_t>(steps));
      for (std::int64_t t = 0; t < steps; ++t) {
        const std::int64_t at = d == 0 ? t : steps - 1 - t;
        state = step(a, a.select(x, 0, at), state, p);
        sequence[static_cast<std::size_t>(at)] = state[0];
      }
      outputs.push_back(a.stack(sequence, 0));
      for (std::size_t s = 0; s < states; ++s) last[s].push_back(state[s]);
    }
    x = outputs.size() == 1 ? outputs[0] : a.cat(outputs, -1);
  }
  Tensors result = {batch_first ? a.transpose(x, 0, 1) : x};
  for (const Tensors& state : last) result.push_back(a.stack(state, 0));
  return result;
}

Tensors cell(const Call& call, const Cell_& step, std::size_t states) {
  const Tensor &input = call.tensor("w_ih"), &hidden = call.tensor("w_hh");
  const auto b_ih = call.optional_tensor("b_ih"), b_hh = call.optional_tensor("b_hh");
  Parameters p{&input, &hidden, b_ih ? &*b_ih : nullptr, b_hh ? &*b_hh : nullptr};
  return step(call.algebra(), call.tensor("input"),
              states == 2 ? call.tensors("hx") : Tensors{call.tensor("hx")}, p);
}

Cell_ simple(const char* activation) {
  return [activation](Algebra& a, const Tensor& x, const Tensors& state, const Parameters& p) {
    return simple_step(a, activation, x, state, p);
  };
}

}  // namespace

void add_recurrent_operators(Operators& ops) {
  ops["rnn_tanh.input"] = [](const Call& c) { return recurrent(c, simple("tanh"), 1, false); };
  ops["rnn_relu.input"] = [](const Call& c) { return recurrent(c, simple("relu"), 1, false); };
  ops["gru.input"] = [](const Call& c) { return recurrent(c, gru_step, 1, false); };
  ops["lstm.input"] = [](const Call& c) {
    const std::size_t count = c.tensors("params").size();
    const std::size_t lists =
        static_cast<std::size_t>(c.integer("num_layers")) * (c.flag("bidirectional") ? 2 : 1);
    return recurrent(c, lstm_step, 2, count == lists * (c.flag("has_biases") ? 5u : 3u));
  };
  ops["rnn_tanh_cell"] = [](const Call& c) { return cell(c, simple("tanh"), 1); };
  ops["rnn_relu_cell"] = [](const Call& c) { return cell(c, simple("relu"), 1); };
  ops["gru_cell"] = [](const Call& c) { return cell(c, gru_step, 1); };
  ops["lstm_cell"] = [](const Call& c) { return cell(c, lstm_step, 2); };
}

}  // namespace nngpcheck::importer
