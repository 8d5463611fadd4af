// Mistakes in layers and inputs.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/compare/power/mistakes.hpp"

namespace nngpcheck::compare {

namespace {

using namespace architectures;
using Eigen::Index;

/// Changes layers in place; true if it did.
using Edit = std::function<bool(Layers&)>;

bool everywhere(Layers& layers, const Edit& edit) {
  bool result = edit(layers);
  for (Layer& layer : layers) {
    if (auto* residual = std::get_if<Residual>(&layer.kind)) {
      result |= everywhere(residual->layers, edit);
      result |= everywhere(residual->shortcut, edit);
    } else if (auto* concat = std::get_if<Concat>(&layer.kind)) {
      for (Layers& branch : concat->branches) result |= everywhere(branch, edit);
    }
  }
  return result;
}

/// An edit of every layer of one kind.
template <class L, class Change>
Edit of_each(const Change& change) {
  return [change](Layers& layers) {
    bool result = false;
    for (Layer& layer : layers) {
      if (auto* found = std::get_if<L>(&layer.kind)) result |= change(*found);
    }
    return result;
  };
}

bool keeps_sites(const Layer& layer) {
  return std::holds_alternative<Activate>(layer.kind) || std::holds_alternative<LayerNorm>(layer.kind) ||
         std::holds_alternative<BatchNorm>(layer.kind);
}

/// [norm, x + f(x)] → [x + f(norm(x))].
bool skip_too_early(Layers& layers) {
  bool result = false;
  for (std::size_t k = layers.size(); k-- > 1;) {
    auto* residual = std::get_if<Residual>(&layers[k].kind);
    if (!residual || !keeps_sites(layers[k - 1])) continue;
    residual->layers.insert(residual->layers.begin(), layers[k - 1]);
    layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(k) - 1);
    --k;
    result = true;
    if (k == 0) break;
  }
  return result;
}

/// [x + f(φ(x))] → [φ, x + f(x)].
bool skip_too_late(Layers& layers) {
  bool result = false;
  for (std::size_t k = layers.size(); k-- > 0;) {
    auto* residual = std::get_if<Residual>(&layers[k].kind);
    if (!residual || residual->layers.size() < 2 || !keeps_sites(residual->layers.front())) continue;
    Layer moved = residual->layers.front();
    residual->layers.erase(residual->layers.begin());
    layers.insert(layers.begin() + static_cast<std::ptrdiff_t>(k), std::move(moved));
    result = true;
  }
  return result;
}

bool other_padding(Conv& conv) {
  const bool one = std::all_of(conv.kernel.begin(), conv.kernel.end(), [](auto size) { return size == 1; });
  if (conv.padding == "valid" || one) return false;
  conv.padding = conv.padding == "circular" ? "zero" : "circular";
  return true;
}

bool without_self_loops(GraphConv& conv) { return std::exchange(conv.self_loops, false); }

bool other_convention(Gru& gru) {
  gru.convention = gru.convention == "torch" ? "tp1" : "torch";
  gru.hidden_bias_variance = 0;
  return true;
}

/// Nothing if the layers do not allow the change, or what comes out is no network of the same outputs.
std::optional<WrongNetwork> with_layers(const Network& right, const inputs::Inputs& inputs, std::string name,
                                        std::string change, const Edit& edit) {
  Layers layers = right.layers;
  if (!everywhere(layers, edit)) return {};
  try {
    return WrongNetwork{std::move(name), std::move(change),
                        program(network(std::move(layers), right.readout_variance), inputs)};
  } catch (const ArchitectureError&) {
    return {};
  }
}

// ---- Sequences ----

template <class... Kinds>
bool holds_any(const Layers& layers) {
  return std::any_of(layers.begin(), layers.end(),
                     [](const Layer& layer) { return (std::holds_alternative<Kinds>(layer.kind) || ...); });
}

std::optional<WrongNetwork> carried_over(const Network& network, const inputs::Inputs& inputs) {
  if (inputs.lengths.size() < 2 || !holds_any<SimpleRnn, Gru, Lstm>(network.layers)) return {};
  if (holds_any<Last, GlobalAveragePool, Flatten>(network.layers)) return {};
  inputs::Inputs one = inputs;
  one.lengths = {inputs.count()};
  one.batch.clear();
  return WrongNetwork{"state carried over between sequences",
                      fmt::format("{} sequences as one", inputs.lengths.size()), program(network, one)};
}

/// A single recurrent layer in one direction, whose states are read out.
bool one_recurrence(const Layers& layers) {
  if (layers.size() != 1) return false;
  return std::visit(
      []<class L>(const L& layer) {
        if constexpr (requires { layer.bidirectional; }) return !layer.bidirectional;
        return false;
      },
      layers.front().kind);
}

std::optional<WrongNetwork> truncated(const Network& right, const inputs::Inputs& inputs) {
  if (inputs.lengths.size() < 2 || !one_recurrence(right.layers)) return {};
  const Index seen = *std::max_element(inputs.lengths.begin(), inputs.lengths.end() - 1);
  if (inputs.lengths.back() <= seen) return {};
  std::vector<Index> columns;
  inputs::Inputs windows;
  windows.labels = inputs.labels;
  Index first = 0;
  for (const Index length : inputs.lengths) {
    for (Index t = 0; t < length; ++t) {
      windows.lengths.push_back(std::min(t + 1, seen));
      for (Index s = std::max<Index>(t + 1 - seen, 0); s <= t; ++s) columns.push_back(first + s);
    }
    first += length;
  }
  windows.data = inputs.data(Eigen::all, columns);
  windows.labels.clear();
  for (std::size_t k = 0; k < columns.size(); ++k) windows.labels.push_back(std::to_string(k));
  Layers layers = right.layers;
  layers.push_back({Last{}});
  return WrongNetwork{"sequences truncated", fmt::format("states see the last {} tokens", seen),
                      program(network(std::move(layers), right.readout_variance), windows)};
}

}  // namespace

std::vector<WrongNetwork> wrong_networks(const Network& network, const inputs::Inputs& inputs) {
  const auto edited = [&](const char* name, const char* change, const Edit& edit) {
    return with_layers(network, inputs, name, change, edit);
  };
  std::vector<std::optional<WrongNetwork>> mistakes;
  mistakes.push_back(
      edited("skip taken one layer too early", "before the norm or activation", skip_too_early));
  mistakes.push_back(edited("skip taken one layer too late", "behind the norm or activation", skip_too_late));
  mistakes.push_back(edited("wrong padding", "circular instead, or zero where it was circular",
                            of_each<Conv>(other_padding)));
  mistakes.push_back(
      edited("self loops missing", "graph convolutions", of_each<GraphConv>(without_self_loops)));
  mistakes.push_back(
      edited("the other GRU convention", "tp1 and torch exchanged", of_each<Gru>(other_convention)));
  mistakes.push_back(carried_over(network, inputs));
  mistakes.push_back(truncated(network, inputs));
  const Index outputs = program(network, inputs).outputs();
  std::vector<WrongNetwork> result;
  for (auto& mistake : mistakes) {
    if (mistake && mistake->program.outputs() == outputs) result.push_back(std::move(*mistake));
  }
  return result;
}

}  // namespace nngpcheck::compare
