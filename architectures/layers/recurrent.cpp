// Recurrent layers: one bundle per time step.
#include <algorithm>

#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;
using netsor::Builder;
using netsor::BundleId;

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
};

// (x_t, s) ↦ W s + b' + U x_t + b: what every gate starts with.
class Affine {
 public:
  template <class Recurrent>
  Affine(const Direction& direction, const Recurrent& options, const std::string& suffix,
         double hidden_bias_variance = 0, double bias_mean = 0)
      : builder_(direction.writer.builder()),
        steps_(direction.steps),
        weight_(direction.writer.weight(direction.name + ".W" + suffix, {}, {}, options.weight_variance)),
        drive_(direction.writer.add_bias(
            direction.writer.linear(direction.x, direction.name + ".U" + suffix, {}, options.input_variance),
            direction.name + ".b" + suffix, options.bias_variance, bias_mean)) {
    if (hidden_bias_variance > 0) {
      hidden_bias_ = direction.writer.bias(direction.name + ".b'" + suffix, {}, hidden_bias_variance);
    }
  }

  // U x_t + b, one column per sample of step t.
  BundleId drive(std::size_t t) const { return builder_.select(drive_, steps_.columns(t)); }

  // W s + b', or nothing if both are absent; without a state s = 0.
  std::optional<BundleId> hidden(std::optional<BundleId> state) const {
    if (!state) return hidden_bias_;
    const BundleId product = builder_.matmul(weight_, *state);
    return hidden_bias_ ? builder_.add(product, *hidden_bias_) : product;
  }

  BundleId operator()(std::size_t t, std::optional<BundleId> state) const {
    const std::optional<BundleId> recurrent = hidden(state);
    return recurrent ? builder_.add(drive(t), *recurrent) : drive(t);
  }

 private:
  Builder& builder_;
  const TimeSteps& steps_;
  netsor::WeightId weight_;
  BundleId drive_;  // of all sites
  std::optional<BundleId> hidden_bias_;
};

// 1 - z.
BundleId complement(Builder& builder, BundleId gate) {
  return builder.add({{1, builder.ones()}, {-1, gate}});
}

// The state before step t, for the samples that go on; before the first the column of that name, or nothing.
std::optional<BundleId> before(const Direction& direction, const std::vector<BundleId>& states, std::size_t t,
                               double initial_variance, const char* initial = ".h0") {
  if (t == 0 && initial_variance == 0) return {};
  if (t == 0) return direction.writer.bias(direction.name + initial, {}, initial_variance);
  return direction.writer.builder().select(states[t - 1], direction.steps.surviving(t));
}

std::vector<BundleId> states(const SimpleRnn& layer, const Direction& direction) {
  const Affine affine(direction, layer, "");
  std::vector<BundleId> result;
  for (std::size_t t = 0; t < direction.steps.count(); ++t) {
    const BundleId sum = affine(t, before(direction, result, t, layer.initial_variance));
    result.push_back(direction.writer.builder().map(layer.activation, sum));
  }
  return result;
}

std::vector<BundleId> states(const Gru& layer, const Direction& direction) {
  const bool torch = layer.convention == "torch";
  if (!torch && layer.hidden_bias_variance != 0) {
    throw ArchitectureError(
        "hidden_bias_variance: the tp1 convention has one bias a gate; use bias_variance, or convention = "
        "\"torch\"",
        "hidden_bias_variance");
  }
  Builder& builder = direction.writer.builder();
  const auto affine = [&](const char* suffix) {
    return Affine(direction, layer, suffix, layer.hidden_bias_variance);
  };
  const Affine update = affine("_z"), reset = affine("_r"), candidate = affine("_c");
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
  const auto affine = [&](const char* suffix) {
    return Affine(direction, layer, suffix, layer.hidden_bias_variance);
  };
  const Affine forget(direction, layer, "_f", layer.hidden_bias_variance, layer.forget_bias);
  const Affine input = affine("_i"), candidate = affine("_g"), exposed = affine("_o");
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
    result.push_back(builder.mul(gate(exposed), builder.map(layer.activation, cell)));
  }
  return result;
}

template <class Recurrent>
Signal recur(Writer& writer, const Recurrent& layer, const std::string& name, const Signal& x) {
  Signal result{std::nullopt, {}, x.sites};
  const auto run = [&](bool reverse) {
    const Direction direction{writer, x, TimeSteps(x.sites, reverse), name + (reverse ? ".reverse" : "")};
    result.blocks.push_back(
        direction.steps.collect(writer.builder(), states(layer, direction), x.sites.columns()));
  };
  run(false);
  if (layer.bidirectional) run(true);
  return result;
}

}  // namespace

Signal apply(Writer& writer, const SimpleRnn& layer, const std::string& name, const Signal& x) {
  return recur(writer, layer, name, x);
}

Signal apply(Writer& writer, const Gru& layer, const std::string& name, const Signal& x) {
  return recur(writer, layer, name, x);
}

Signal apply(Writer& writer, const Lstm& layer, const std::string& name, const Signal& x) {
  return recur(writer, layer, name, x);
}

}  // namespace nngpcheck::architectures
