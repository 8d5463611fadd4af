// Mistakes in layers and inputs.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>

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
    for (Layers* part : parts(layer)) result |= everywhere(*part, edit);
  }
  return result;
}

/// An edit of every layer of one kind, and of those that derive from it.
template <class L, class Change>
Edit of_each(const Change& change) {
  return [change](Layers& layers) {
    bool result = false;
    for (Layer& layer : layers) {
      std::visit(
          [&]<class Kind>(Kind& kind) {
            if constexpr (std::is_base_of_v<L, Kind>) result |= change(kind);
          },
          layer.kind);
    }
    return result;
  };
}

template <class... Kinds>
bool holds_any(const Layers& layers) {
  return std::any_of(layers.begin(), layers.end(),
                     [](const Layer& layer) { return (std::holds_alternative<Kinds>(layer.kind) || ...); });
}

bool keeps_sites(const Layer& layer) {
  return holds_any<Activate, LayerNorm, RmsNorm, GroupNorm, InstanceNorm, BatchNorm>({layer});
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
  gru.convention = gru.convention == GruConvention::torch ? GruConvention::tp1 : GruConvention::torch;
  gru.hidden_bias_variance = 0;
  return true;
}

/// An edit that makes another kind of each layer of one kind.
template <class L, class Make>
Edit replace_each(const Make& make) {
  return [make](Layers& layers) {
    bool result = false;
    for (Layer& layer : layers) {
      if (const auto* found = std::get_if<L>(&layer.kind)) {
        layer.kind = make(L(*found));
        result = true;
      }
    }
    return result;
  };
}

/// Sets an option of every layer of one kind; true if it was another.
template <class L, class Member, class Value>
Edit set_each(Member L::*member, Value value) {
  return of_each<L>([member, value](L& layer) {
    const Member before = std::exchange(layer.*member, value);
    return !(before == layer.*member);
  });
}

bool dropout_not_rescaled(Layers& layers) {
  bool result = false;
  for (std::size_t k = layers.size(); k-- > 0;) {
    const auto* dropout = std::get_if<Dropout>(&layers[k].kind);
    if (!dropout || dropout->mode == NetworkMode::evaluation || dropout->rate == 0) continue;
    layers.insert(layers.begin() + static_cast<std::ptrdiff_t>(k) + 1, Layer{Rescale{1 - dropout->rate}});
    result = true;
  }
  return result;
}

bool other_scaling(SelfAttention& attention) {
  if (attention.head_size < 2) return false;
  attention.scaling = attention.scaling == Scaling::d ? Scaling::sqrt_d : Scaling::d;
  return true;
}

/// The transposed table, where it is square and allowed.
bool other_way(SelfAttention& attention) {
  const Table before = attention.visible;
  for (std::size_t q = 0; q < before.size() && before.size() == before.front().size(); ++q) {
    for (std::size_t k = 0; k < before.size(); ++k) attention.visible[q][k] = before[k][q];
  }
  return attention.visible != before;
}

bool queries_like_values(SelfAttention& attention) {
  std::swap(attention.query_variance, attention.value_variance);
  return attention.query_variance != attention.value_variance;
}

bool distances_mirrored(SelfAttention& attention) {
  const std::vector<double> before = attention.relative_bias;
  std::reverse(attention.relative_bias.begin(), attention.relative_bias.end());
  return attention.relative_bias != before;
}

bool dropout_masks_exchanged(Dropout& dropout) {
  dropout.shared = dropout.shared == MaskSharing::none ? MaskSharing::sites : MaskSharing::none;
  return dropout.mode == NetworkMode::training;
}

Conv full_convolution(const DepthwiseConv& of) {
  return {of.kernel,          of.stride,        of.dilation,  of.padding, netsor::Width(of.multiplier),
          of.weight_variance, of.bias_variance, of.multiplier};
}

/// Sets an option of all recurrent layers.
template <class Change>
Edit of_recurrences(const Change& change) {
  return [change](Layers& layers) {
    const bool simple = of_each<SimpleRnn>(change)(layers), gru = of_each<Gru>(change)(layers),
               lstm = of_each<Lstm>(change)(layers);
    return simple || gru || lstm;
  };
}

struct LayerMistake {
  const char* name;
  const char* change;
  Edit edit;
};

/// Mistakes in one kind of layer.
std::vector<LayerMistake> layer_mistakes() {
  return {
      {"depthwise as full convolution", "every channel reads all",
       replace_each<DepthwiseConv>(full_convolution)},
      {"average counts other positions", "those beyond the ends, or not", of_each<Pool>([](Pool& pool) {
         return pool.kind == Pool::Kind::average && (pool.count_include_pad = !pool.count_include_pad, true);
       })},
      {"interpolation by another rule", "nearest and linear exchanged",
       of_each<Upsample>([](Upsample& upsample) {
         upsample.mode =
             upsample.mode == Interpolation::linear ? Interpolation::nearest : Interpolation::linear;
         return true;
       })},
      {"padding with zeros", "instead of what is inside", set_each(&Pad::mode, PadMode::zero)},
      {"groups missing", "every channel reads all", set_each(&Conv::groups, 1)},
      {"weights shared over positions", "convolution instead",
       replace_each<LocalConv>([](const LocalConv& of) {
         return Conv{of.kernel, of.stride,          of.dilation,     of.padding,
                     of.width,  of.weight_variance, of.bias_variance};
       })},
      {"loops of weight 1", "whatever their weight", set_each(&GraphConv::self_loop_weight, 1)},
      {"weight of the node itself missing", "neighbours alone",
       set_each(&GraphConv::self_weight_variance, 0)},
      {"edges attended to alike", "the average of incoming ones",
       set_each(&GraphAttention::attention_variance, 1e-300)},
      {"scores of the other GAT", "φ behind the sum over the head instead of inside, or inside",
       of_each<GraphAttention>([](GraphAttention& attention) {
         attention.scores = attention.scores == GraphScores::gat ? GraphScores::gatv2 : GraphScores::gat;
         return true;
       })},
      {"group norm with one group", "groups = 1", set_each(&GroupNorm::groups, 1)},
      {"RMS norm subtracts the mean", "layer norm instead", replace_each<RmsNorm>([](const RmsNorm& of) {
         return LayerNorm{of.epsilon, of.gain_variance, 0, of.over};
       })},
      {"layer norm over other sites", "each site alone, or all of a sample",
       of_each<LayerNorm>([](LayerNorm& norm) {
         norm.over = norm.over == NormOver::width ? NormOver::sample : NormOver::width;
         return true;
       })},
      {"instance norm over the batch", "batch norm instead",
       replace_each<InstanceNorm>([](const InstanceNorm& of) {
         return BatchNorm{of.epsilon, of.gain_variance, of.bias_variance};
       })},
      {"batch norm as in training", "with the batch's statistics",
       set_each(&BatchNorm::mode, NetworkMode::training)},
      {"gate missing", "W x + b alone", replace_each<Glu>([](const Glu& of) {
         return Dense{of.width, of.weight_variance, of.bias_variance};
       })},
      {"gate of the wrong half", "φ acts on both", replace_each<Glu>([](const Glu& of) {
         const Dense dense{of.width, of.weight_variance, of.bias_variance};
         return Product{{{{dense}, {Activate{of.activation}}}, {{dense}, {Activate{of.activation}}}}};
       })},
      {"product as sum", "branches added", replace_each<Product>([](const Product& of) -> Layer::Kind {
         if (of.branches.size() != 2) return of;
         return Residual{of.branches[0], of.branches[1]};
       })},
      {"factor missing", "1 instead", set_each(&Rescale::factor, 1)},
      {"dropout without rescaling", "times 1 - rate", dropout_not_rescaled},
      {"dropout left out", "as in evaluation", set_each(&Dropout::mode, NetworkMode::evaluation)},
      {"dropout masks shared otherwise", "over sites, or not", of_each<Dropout>(dropout_masks_exchanged)},
      {"forget bias missing", "0", set_each(&Lstm::forget_bias, 0)},
      {"initial state 0", "of recurrences", of_recurrences([](auto& layer) {
         const bool given = !layer.initial.empty();
         layer.initial.clear();
         return std::exchange(layer.initial_variance, 0) > 0 || given;
       })},
      {"layer norm inside cells missing", "sums as they are",
       of_recurrences([](auto& layer) { return std::exchange(layer.layer_norm, false); })},
  };
}

/// The same in attention.
std::vector<LayerMistake> attention_mistakes() {
  return {
      {"scores scaled otherwise", "1/d and 1/√d exchanged", of_each<SelfAttention>(other_scaling)},
      {"window missing", "all positions are seen", set_each(&SelfAttention::window, 0)},
      {"distances missing", "scores without them", set_each(&SelfAttention::distance_slope, 0)},
      {"queries and keys exchanged in the mask", "the table transposed", of_each<SelfAttention>(other_way)},
      {"table of scores missing", "scores without it", set_each(&SelfAttention::score_bias, Table{})},
      {"relative positions mirrored", "query - key", of_each<SelfAttention>(distances_mirrored)},
      {"relative positions of heads missing", "scores without them",
       set_each(&SelfAttention::relative_bias_variance, 0)},
      {"rotary positions missing", "queries and keys are not turned",
       set_each(&SelfAttention::rotary_base, 0)},
      {"variances of queries and values exchanged", "each has the other's",
       of_each<SelfAttention>(queries_like_values)},
      {"causal mask missing in heads", "positions see later ones",
       of_each<SelfAttention>([](SelfAttention& attention) {
         return attention.head_size > 0 && std::exchange(attention.mask, Mask::full) != Mask::full;
       })},
      {"cross attention to itself", "self-attention instead",
       replace_each<CrossAttention>([](const CrossAttention& of) { return SelfAttention(of); })},
      {"linear attention normalized otherwise", "by the sum of its weights, or not",
       of_each<LinearAttention>([](LinearAttention& attention) {
         attention.normalized = !attention.normalized;
         return true;
       })},
  };
}

/// Nothing if the layers do not allow the change, or what comes out is no network of the same outputs.
std::optional<WrongNetwork> with_layers(const Network& right, const inputs::Inputs& inputs, std::string name,
                                        std::string change, const Edit& edit) {
  Layers layers = right.layers;
  if (!everywhere(layers, edit)) return {};
  try {
    return WrongNetwork{
        std::move(name), std::move(change),
        program(network(std::move(layers), right.readout_variance, right.readout_bias_variance), inputs)};
  } catch (const ArchitectureError&) {
    return {};
  }
}

// ---- Sequences ----

std::optional<WrongNetwork> carried_over(const Network& network, const inputs::Inputs& inputs) {
  if (inputs.lengths.size() < 2 || !holds_any<SimpleRnn, Gru, Lstm>(network.layers)) return {};
  if (holds_any<Last, GlobalAveragePool, Flatten>(network.layers)) return {};
  // Initial states are of samples, which would be others.
  Layers layers = network.layers;
  if (of_recurrences([](auto& layer) { return !layer.initial.empty(); })(layers)) return {};
  inputs::Inputs one = inputs;
  one.lengths = {inputs.count()};
  one.batch.clear();
  return WrongNetwork{"state carried over between sequences",
                      fmt::format("{} sequences as one", inputs.lengths.size()), program(network, one)};
}

/// Nothing where every edge has its other direction.
std::optional<WrongNetwork> edges_reversed(const Network& right, const inputs::Inputs& inputs) {
  if (!inputs.graph) return {};
  inputs::Inputs other = inputs;
  std::set<std::tuple<Index, Index, double>> before, after;
  for (inputs::Edge& edge : *other.graph) {
    before.emplace(edge.source, edge.target, edge.weight);
    std::swap(edge.source, edge.target);
    after.emplace(edge.source, edge.target, edge.weight);
  }
  if (before == after) return {};
  try {
    return WrongNetwork{"edges reversed", "from target to source", program(right, other)};
  } catch (const ArchitectureError&) {
    return {};
  }
}

/// Nothing where all samples have the same.
std::optional<WrongNetwork> others_of_another_sample(const Network& right, const inputs::Inputs& inputs) {
  inputs::Inputs moved = inputs;
  bool changed = false;
  for (auto& [name, other] : moved.others) {
    const Index first = other.lengths.empty() ? other.count() / other.samples() : other.lengths.front();
    std::vector<Index> columns(static_cast<std::size_t>(other.count()));
    std::iota(columns.begin(), columns.end(), 0);
    std::rotate(columns.begin(), columns.begin() + first, columns.end());
    other.data = other.data(Eigen::all, columns).eval();
    if (!other.lengths.empty())
      std::rotate(other.lengths.begin(), other.lengths.begin() + 1, other.lengths.end());
    changed = changed || other.data != inputs.named(name).data;
  }
  if (!changed) return {};
  try {
    return WrongNetwork{"other inputs of another sample", "each sample has the next one's",
                        program(right, moved)};
  } catch (const ArchitectureError&) {
    return {};
  }
}

std::optional<WrongNetwork> readout_bias_missing(const Network& right, const inputs::Inputs& inputs) {
  if (right.readout_bias_variance == 0) return {};
  return WrongNetwork{"readout bias missing", "the output's",
                      program(network(right.layers, right.readout_variance), inputs)};
}

/// A single recurrent layer in one direction, whose states are read out.
bool one_recurrence(const Layers& layers) {
  if (layers.size() != 1) return false;
  return std::visit(
      []<class L>(const L& layer) {
        if constexpr (requires { layer.initial; }) return !layer.bidirectional && layer.initial.empty();
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
  return WrongNetwork{
      "sequences truncated", fmt::format("states see the last {} tokens", seen),
      program(network(std::move(layers), right.readout_variance, right.readout_bias_variance), windows)};
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
  for (const auto& family : {layer_mistakes(), attention_mistakes()}) {
    for (const LayerMistake& mistake : family)
      mistakes.push_back(edited(mistake.name, mistake.change, mistake.edit));
  }
  mistakes.push_back(readout_bias_missing(network, inputs));
  mistakes.push_back(edges_reversed(network, inputs));
  mistakes.push_back(others_of_another_sample(network, inputs));
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
