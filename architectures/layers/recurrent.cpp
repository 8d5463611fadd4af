// Recurrent layers: one bundle per time step.
#include <algorithm>

#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;
using netsor::Builder;
using netsor::BundleId;
using netsor::Width;

// Which columns a step t = 0, 1, … works on: site t of every sample that has one, counted from the end in the
// reverse direction. The step's bundles have one column for each, in the order of the samples.
class TimeSteps {
 public:
  TimeSteps(const Sites& sites, bool reverse) {
    if (!sites.have_axes(1)) {
      throw ArchitectureError(
          "reads sequences or grids of one axis, and the inputs are neither; give a file with the columns "
          "sequence,position,token,x0,x1,…");
    }
    for (Index s = 0; s < sites.samples(); ++s) {
      for (Index t = 0; t < sites.size(s); ++t) {
        if (std::ssize(columns_) <= t) {
          columns_.emplace_back();
          samples_.emplace_back();
        }
        const auto step = static_cast<std::size_t>(t);
        columns_[step].push_back(sites.first(s) + (reverse ? sites.size(s) - 1 - t : t));
        samples_[step].push_back(s);
      }
    }
  }

  std::size_t count() const { return columns_.size(); }
  const std::vector<Index>& columns(std::size_t t) const { return columns_[t]; }

  // The columns of step t - 1 whose samples go on at step t.
  std::vector<Index> surviving(std::size_t t) const {
    std::vector<Index> result;
    const auto& before = samples_[t - 1];
    for (const Index sample : samples_[t]) {
      result.push_back(std::lower_bound(before.begin(), before.end(), sample) - before.begin());
    }
    return result;
  }

  // The states of all steps, each in the column of its site.
  BundleId collect(Builder& builder, const std::vector<BundleId>& states, Index columns) const {
    std::vector<netsor::Add::Term> terms;
    for (std::size_t t = 0; t < states.size(); ++t) {
      netsor::SparseMatrix matrix(std::ssize(columns_[t]), columns);
      for (std::size_t j = 0; j < columns_[t].size(); ++j) {
        matrix.insert(static_cast<Index>(j), columns_[t][j]) = 1;
      }
      terms.push_back({1, builder.mix(states[t], std::move(matrix))});
    }
    return builder.add(std::move(terms));
  }

 private:
  std::vector<std::vector<Index>> columns_, samples_;
};

// One direction of a recurrent layer: what its gates are made of.
struct Direction {
  Writer& writer;
  const Signal& x;
  const TimeSteps steps;
  std::string name;
  std::optional<BundleId> state = {}, cell = {};  // before the first step, if the layer is given them
};

// LN of blocks together.
std::vector<BundleId> layer_norm(const Direction& direction, std::vector<BundleId> blocks, double epsilon) {
  const Signal x{std::nullopt, std::move(blocks), direction.x.sites};
  return apply(direction.writer, LayerNorm{.epsilon = epsilon}, direction.name, x).blocks;
}

// The gates that a layer norm is of together, by their suffixes, and the one of them that is meant.
struct Gate {
  std::vector<std::string> together;
  std::size_t own = 0;

  const std::string& suffix() const { return together[own]; }
};

// (x_t, s) ↦ W s + b' + U x_t + b: what every gate starts with; with LN of W s and of U x_t.
class Affine {
 public:
  template <class Recurrent>
  Affine(const Direction& direction, const Recurrent& options, const Gate& gate,
         double hidden_bias_variance = 0, double bias_mean = 0)
      : direction_(direction), builder_(direction.writer.builder()) {
    if (options.layer_norm) epsilon_ = options.epsilon;
    own_ = options.layer_norm ? gate.own : 0;
    std::vector<BundleId> drives;
    for (const std::string& suffix : options.layer_norm ? gate.together : std::vector{gate.suffix()}) {
      weights_.push_back(
          direction.writer.weight(direction.name + ".W" + suffix, {}, {}, options.weight_variance));
      drives.push_back(
          direction.writer.linear(direction.x, direction.name + ".U" + suffix, {}, options.input_variance));
    }
    drive_ = direction.writer.add_bias(normalized(std::move(drives)), direction.name + ".b" + gate.suffix(),
                                       options.bias_variance, bias_mean);
    if (hidden_bias_variance > 0) {
      hidden_bias_ = direction.writer.bias(direction.name + ".b'" + gate.suffix(), {}, hidden_bias_variance);
    }
  }

  // U x_t + b, one column per sample of step t.
  BundleId drive(std::size_t t) const { return builder_.select(*drive_, direction_.steps.columns(t)); }

  // W s + b', or nothing if both are absent; without a state s = 0.
  std::optional<BundleId> hidden(std::optional<BundleId> state) const {
    if (!state) return hidden_bias_;
    std::vector<BundleId> products;
    for (const netsor::WeightId weight : weights_) products.push_back(builder_.matmul(weight, *state));
    const BundleId product = normalized(std::move(products));
    return hidden_bias_ ? builder_.add(product, *hidden_bias_) : product;
  }

  BundleId operator()(std::size_t t, std::optional<BundleId> state) const {
    const std::optional<BundleId> recurrent = hidden(state);
    return recurrent ? builder_.add(drive(t), *recurrent) : drive(t);
  }

 private:
  BundleId normalized(std::vector<BundleId> of) const {
    return epsilon_ ? layer_norm(direction_, std::move(of), *epsilon_)[own_] : of.front();
  }

  const Direction& direction_;
  Builder& builder_;
  std::optional<double> epsilon_;  // of the norm, if there is one
  std::size_t own_ = 0;
  std::vector<netsor::WeightId> weights_;
  std::optional<BundleId> drive_;  // of all sites
  std::optional<BundleId> hidden_bias_;
};

// 1 - z.
BundleId complement(Builder& builder, BundleId gate) {
  return builder.add({{1, builder.ones()}, {-1, gate}});
}

// The state before step t, for the samples that go on; before the first the given one, the column of that
// name, or nothing.
std::optional<BundleId> before(const Direction& direction, const std::vector<BundleId>& states, std::size_t t,
                               double initial_variance, const std::string& initial = ".h0") {
  if (t == 0 && initial_variance == 0) return initial == ".h0" ? direction.state : direction.cell;
  if (t == 0) return direction.writer.bias(direction.name + initial, {}, initial_variance);
  return direction.writer.builder().select(states[t - 1], direction.steps.surviving(t));
}

std::vector<BundleId> states(const SimpleRnn& layer, const Direction& direction) {
  SimpleRnn inside = layer;  // of the norm, which is of the sum
  inside.layer_norm = false;
  if (layer.layer_norm) inside.bias_variance = 0;
  const Affine affine(direction, inside, {{""}});
  std::vector<BundleId> result;
  for (std::size_t t = 0; t < direction.steps.count(); ++t) {
    BundleId sum = affine(t, before(direction, result, t, layer.initial_variance));
    if (layer.layer_norm) {
      sum = direction.writer.add_bias(layer_norm(direction, {sum}, layer.epsilon).front(),
                                      direction.name + ".b", layer.bias_variance);
    }
    result.push_back(direction.writer.builder().map(layer.activation, sum));
  }
  return result;
}

std::vector<BundleId> states(const Gru& layer, const Direction& direction) {
  const bool torch = layer.convention == GruConvention::torch;
  if (!torch && layer.hidden_bias_variance != 0) {
    throw ArchitectureError(
        "hidden_bias_variance: the tp1 convention has one bias a gate; use bias_variance, or convention = "
        "\"torch\"",
        "hidden_bias_variance");
  }
  Builder& builder = direction.writer.builder();
  const auto affine = [&](const Gate& gate) {
    return Affine(direction, layer, gate, layer.hidden_bias_variance);
  };
  const std::vector<std::string> gates = {"_z", "_r"};
  const Affine update = affine({gates, 0}), reset = affine({gates, 1}), candidate = affine({{"_c"}});
  std::vector<BundleId> result;
  for (std::size_t t = 0; t < direction.steps.count(); ++t) {
    const std::optional<BundleId> last = before(direction, result, t, layer.initial_variance);
    const auto gate = [&](const Affine& of) { return builder.map(layer.gate_activation, of(t, last)); };
    const BundleId z = gate(update);
    BundleId sum = candidate.drive(t);
    if (torch) {
      if (const auto hidden = candidate.hidden(last))
        sum = builder.add(builder.mul(gate(reset), *hidden), sum);
    } else if (last) {
      sum = candidate(t, builder.mul(gate(reset), *last));
    }
    const BundleId fresh = builder.map(layer.activation, sum);
    BundleId state = builder.mul(torch ? complement(builder, z) : z, fresh);
    if (last) state = builder.add(state, builder.mul(torch ? z : complement(builder, z), *last));
    result.push_back(state);
  }
  return result;
}

std::vector<BundleId> states(const Lstm& layer, const Direction& direction) {
  Builder& builder = direction.writer.builder();
  const std::vector<std::string> gates = {"_f", "_i", "_g", "_o"};
  const auto affine = [&](std::size_t own, double bias_mean = 0) {
    return Affine(direction, layer, {gates, own}, layer.hidden_bias_variance, bias_mean);
  };
  const Affine forget = affine(0, layer.forget_bias), input = affine(1), candidate = affine(2),
               exposed = affine(3);
  std::vector<BundleId> result, cells;
  for (std::size_t t = 0; t < direction.steps.count(); ++t) {
    const std::optional<BundleId> last = before(direction, result, t, layer.initial_variance);
    const auto gate = [&](const Affine& of) { return builder.map(layer.gate_activation, of(t, last)); };
    const BundleId fresh = builder.map(layer.activation, candidate(t, last));
    BundleId cell = builder.mul(gate(input), fresh);
    if (const auto kept = before(direction, cells, t, layer.initial_variance, ".c0")) {
      cell = builder.add(cell, builder.mul(gate(forget), *kept));
    }
    cells.push_back(cell);
    if (layer.layer_norm) cell = layer_norm(direction, {cell}, layer.epsilon).front();
    result.push_back(builder.mul(gate(exposed), builder.map(layer.activation, cell)));
  }
  return result;
}

// Block `direction` of the state that `key` gives, if it does.
std::optional<BundleId> given(Writer& writer, const Signal& x, const std::optional<Signal>& state,
                              std::size_t directions, std::size_t direction, const char* key) {
  if (!state) return {};
  const auto fail = [&](const std::string& problem) {
    throw ArchitectureError(std::string(key) + " " + problem, key);
  };
  if (state->data) fail("gives raw data, and a state has width n; end it with a dense layer");
  if (state->sites != x.sites.without_axes())
    fail("gives other sites than one for each sample; end it with last, or a global_avg_pool");
  if (state->blocks.size() != directions) {
    fail("gives " + std::to_string(state->blocks.size()) + " blocks, and there are " +
         std::to_string(directions) + " directions; end it with a dense layer of as many blocks");
  }
  const BundleId block = state->blocks[direction];
  if (writer.builder().type(block).width != Width())
    fail("gives a state of another width than n; end it with a dense layer, of width = 2 for two directions");
  return block;
}

template <class Recurrent>
Signal recur(Writer& writer, const Recurrent& layer, const std::string& name, const Signal& x,
             const InitialStates& initial) {
  if (layer.initial_variance > 0 && (initial.state || initial.cell)) {
    throw ArchitectureError("initial_variance: the state before the first site is given; leave it out",
                            "initial_variance");
  }
  Signal result{std::nullopt, {}, x.sites};
  const std::size_t directions = layer.bidirectional ? 2 : 1;
  for (std::size_t k = 0; k < directions; ++k) {
    const Direction direction{writer,
                              x,
                              TimeSteps(x.sites, k == 1),
                              name + (k == 1 ? ".reverse" : ""),
                              given(writer, x, initial.state, directions, k, "initial"),
                              given(writer, x, initial.cell, directions, k, "initial_cell")};
    result.blocks.push_back(
        direction.steps.collect(writer.builder(), states(layer, direction), x.sites.columns()));
  }
  return result;
}

}  // namespace

Signal apply(Writer& writer, const SimpleRnn& layer, const std::string& name, const Signal& x,
             const InitialStates& initial) {
  return recur(writer, layer, name, x, initial);
}

Signal apply(Writer& writer, const Gru& layer, const std::string& name, const Signal& x,
             const InitialStates& initial) {
  return recur(writer, layer, name, x, initial);
}

Signal apply(Writer& writer, const Lstm& layer, const std::string& name, const Signal& x,
             const InitialStates& initial) {
  return recur(writer, layer, name, x, initial);
}

}  // namespace nngpcheck::architectures
