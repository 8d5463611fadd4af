#include "nngpcheck/architectures/layers/layers.hpp"

namespace nngpcheck::architectures {

namespace {

const char* variance_of_weight = "variance of a weight times its fan-in";
const char* variance_of_bias = "variance of a bias";

template <class L>
std::vector<Field<L>> affine_fields() {
  return {{"width", &L::width, "output width as a multiple of n", 0, {}},
          {"weight_variance", &L::weight_variance, variance_of_weight, 0, {}},
          {"bias_variance", &L::bias_variance, variance_of_bias, 0, {}}};
}

template <class L>
std::vector<Field<L>> window_fields() {
  return {{"kernel", &L::kernel, "positions of the window, per axis", 1, {}},
          {"stride", &L::stride, "steps of the window, per axis; [] is the kernel's size", 1, {}},
          {"dilation", &L::dilation, "distance of the positions, per axis", 1, {}},
          {"padding", &L::padding, "what lies beyond the ends", 0, {}}};
}

template <class L>
std::vector<Field<L>> recurrent_fields() {
  return {{"weight_variance", &L::weight_variance, "variance of a recurrent weight times n", 0, {}},
          {"input_variance", &L::input_variance, "variance of an input weight times its fan-in", 0, {}},
          {"bias_variance", &L::bias_variance, variance_of_bias, 0, {}},
          {"bidirectional", &L::bidirectional, "also from the last site to the first", 0, {}}};
}

template <class L>
std::vector<Field<L>> gated_fields() {
  return {{"activation", &L::activation, "φ", 0, {}},
          {"gate_activation", &L::gate_activation, "σ", 0, {}},
          {"hidden_bias_variance", &L::hidden_bias_variance, "variance of a bias beside W h", 0, {}}};
}

}  // namespace

std::vector<Field<Dense>> Dense::fields() { return affine_fields<Dense>(); }

std::vector<Field<Activate>> Activate::fields() {
  return {{"activation", &Activate::activation, "φ", 0, {}}};
}

std::vector<Field<Conv>> Conv::fields() { return window_fields<Conv>() + affine_fields<Conv>(); }

std::vector<Field<GraphConv>> GraphConv::fields() {
  const std::vector<Field<GraphConv>> own = {
      {"normalization", &GraphConv::normalization, "of the adjacency matrix", 0, {"gcn", "row", "sum"}},
      {"self_loops", &GraphConv::self_loops, "whether every node sees itself", 0, {}}};
  return own + affine_fields<GraphConv>();
}

std::vector<Field<Pool>> Pool::fields() { return window_fields<Pool>(); }

std::vector<Field<LayerNorm>> LayerNorm::fields() {
  return {{"epsilon", &LayerNorm::epsilon, "added to the variance", 0, {}},
          {"gain_variance", &LayerNorm::gain_variance, "variance of the gain, of mean 1", 0, {}},
          {"bias_variance", &LayerNorm::bias_variance, variance_of_bias, 0, {}}};
}

std::vector<Field<BatchNorm>> BatchNorm::fields() {
  return {{"epsilon", &BatchNorm::epsilon, "added to the variance", 0, {}}};
}

std::vector<Field<SelfAttention>> SelfAttention::fields() {
  using S = SelfAttention;
  return {{"weights", &S::weights, "of queries, keys and values", 0, {"separate", "tied", "none"}},
          {"heads", &S::heads, "each of width n/heads", 1, {}},
          {"mask", &S::mask, "which positions are seen", 0, {"full", "causal"}},
          {"scaling", &S::scaling, "of the scores", 0, {"1/n", "1/sqrt(n)", "1/sqrt(d)"}},
          {"temperature", &S::temperature, "divides the scores", 1e-300, {}},
          {"weight_variance", &S::weight_variance, variance_of_weight, 0, {}}};
}

std::vector<Field<SimpleRnn>> SimpleRnn::fields() {
  const std::vector<Field<SimpleRnn>> own = {{"activation", &SimpleRnn::activation, "φ", 0, {}}};
  return own + recurrent_fields<SimpleRnn>();
}

std::vector<Field<Gru>> Gru::fields() {
  const std::vector<Field<Gru>> own = {
      {"convention", &Gru::convention, "reset before or after the product", 0, {"tp1", "torch"}}};
  return own + gated_fields<Gru>() + recurrent_fields<Gru>();
}

std::vector<Field<Lstm>> Lstm::fields() { return gated_fields<Lstm>() + recurrent_fields<Lstm>(); }

namespace {

using Parts = std::vector<std::vector<Layers>>;

template <class L>
LayerKind kind(const std::string& summary) {
  return {L::type, summary, describe<L>(), {}, [](const Settings& settings, const Parts&) {
            return parse<L>(settings);
          }};
}

template <class L>
LayerKind plain(const std::string& summary) {
  return {L::type, summary, {}, {}, [](const Settings& settings, const Parts&) {
            if (!settings.empty()) detail::unknown(settings.begin()->first, {"type", "name"});
            return L{};
          }};
}

LayerKind pool(const std::string& summary, Pool::Kind of) {
  return {Pool::types[static_cast<std::size_t>(of)],
          summary,
          describe<Pool>(),
          {},
          [of](const Settings& settings, const Parts&) {
            Pool result = parse<Pool>(settings);
            result.kind = of;
            return result;
          }};
}

Layers single(const std::vector<Layers>& lists) { return lists.empty() ? Layers{} : lists.front(); }

}  // namespace

const std::vector<LayerKind>& layer_kinds() {
  static const std::vector<LayerKind> table = {
      kind<Dense>("W x + b at every site"),
      kind<Activate>("φ(x)"),
      kind<Conv>("convolution over a grid or a sequence"),
      kind<GraphConv>("convolution over the edges of a graph"),
      pool("average over a window", Pool::Kind::average),
      pool("sum over a window", Pool::Kind::sum),
      pool("maximum over a window", Pool::Kind::maximum),
      plain<GlobalAveragePool>("average over the sites of a sample"),
      plain<Last>("last site of a sample"),
      plain<Flatten>("sites side by side along the width"),
      {Residual::type,
       "layers plus shortcut (the identity if left out)",
       {},
       {"layers", "shortcut"},
       [](const Settings&, const Parts& parts) {
         return Residual{single(parts.at(0)), single(parts.at(1))};
       }},
      {Concat::type,
       "branches side by side along the width",
       {},
       {"branches"},
       [](const Settings&, const Parts& parts) { return Concat{parts.at(0)}; }},
      kind<LayerNorm>("mean 0 and variance 1 over the width"),
      kind<BatchNorm>("mean 0 and variance 1 over the batch and its sites"),
      kind<SelfAttention>("softmax attention within a sample"),
      kind<SimpleRnn>("simple recurrence"),
      kind<Gru>("gated recurrent unit"),
      kind<Lstm>("long short-term memory"),
  };
  return table;
}

std::string type_name(const Layer::Kind& kind) {
  return std::visit(
      []<class L>(const L& layer) -> std::string {
        if constexpr (std::is_same_v<L, Pool>) {
          return Pool::types[static_cast<std::size_t>(layer.kind)];
        } else {
          return L::type;
        }
      },
      kind);
}

}  // namespace nngpcheck::architectures
