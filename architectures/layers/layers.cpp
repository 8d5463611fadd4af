#include "nngpcheck/architectures/layers/layers.hpp"

#include <limits>

namespace nngpcheck::architectures {

namespace {

const char* variance_of_weight = "variance of a weight times its fan-in";
const char* variance_of_bias = "variance of a bias";

template <class L>
std::vector<Field<L>> affine_fields() {
  return {{"width", &L::width, "output width as a multiple of n"},
          {"weight_variance", &L::weight_variance, variance_of_weight},
          {"bias_variance", &L::bias_variance, variance_of_bias}};
}

template <class L>
std::vector<Field<L>> window_fields() {
  return {{"kernel", &L::kernel, "positions of the window, per axis", 1},
          {"stride", &L::stride, "steps of the window, per axis; [] is the kernel's size", 1},
          {"dilation", &L::dilation, "distance of the positions, per axis", 1},
          {"padding", &L::padding, "what lies beyond the ends"}};
}

template <class L>
std::vector<Field<L>> block_fields() {
  return {{"blocks", &L::blocks, "the output, as so many blocks of width/blocks", 1},
          {"groups", &L::groups, "an output block reads only those of its group", 1}};
}

template <class L>
std::vector<Field<L>> norm_fields() {
  return {{"epsilon", &L::epsilon, "added to the variance"},
          {"gain_variance", &L::gain_variance, "variance of the gain, of mean 1"}};
}

template <class L>
std::vector<Field<L>> norm_bias_field() {
  return {{"bias_variance", &L::bias_variance, variance_of_bias}};
}

template <class L>
std::vector<Field<L>> over_field() {
  return {{"over", &L::over, "what is averaged over: the width, or also the sites"}};
}

template <class L>
std::vector<Field<L>> recurrent_fields() {
  return {{"weight_variance", &L::weight_variance, "variance of a recurrent weight times n"},
          {"input_variance", &L::input_variance, "variance of an input weight times its fan-in"},
          {"bias_variance", &L::bias_variance, variance_of_bias},
          {"bidirectional", &L::bidirectional, "also from the last site to the first"},
          {"initial_variance", &L::initial_variance, "variance of the state before the first site"},
          {"layer_norm", &L::layer_norm, "layer norm inside the cell"},
          {"epsilon", &L::epsilon, "added to its variance"}};
}

template <class L>
std::vector<Field<L>> gated_fields() {
  return {{"activation", &L::activation, "φ"},
          {"gate_activation", &L::gate_activation, "σ"},
          {"hidden_bias_variance", &L::hidden_bias_variance, "variance of a bias beside W h"}};
}

}  // namespace

Layers::Layers() noexcept = default;
Layers::Layers(const Layers& other) = default;
Layers::Layers(Layers&& other) noexcept = default;
Layers& Layers::operator=(const Layers& other) = default;
Layers& Layers::operator=(Layers&& other) noexcept = default;
Layers::~Layers() = default;

std::vector<Field<Input>> Input::fields() {
  return {{"of", &Input::of, "the name of inputs beside the first; empty: the first"}};
}

std::vector<Field<Dense>> Dense::fields() { return affine_fields<Dense>() + block_fields<Dense>(); }

std::vector<Field<Activate>> Activate::fields() { return {{"activation", &Activate::activation, "φ"}}; }

std::vector<Field<Conv>> Conv::fields() {
  return window_fields<Conv>() + affine_fields<Conv>() + block_fields<Conv>();
}

std::vector<Field<DepthwiseConv>> DepthwiseConv::fields() {
  using D = DepthwiseConv;
  const std::vector<Field<D>> own = {
      {"multiplier", &D::multiplier, "output blocks for each block of the input", 1},
      {"weight_variance", &D::weight_variance, "variance of a weight times the kernel's positions"},
      {"bias_variance", &D::bias_variance, variance_of_bias}};
  return window_fields<D>() + own;
}

std::vector<Field<TransposedConv>> TransposedConv::fields() {
  using T = TransposedConv;
  const std::vector<Field<T>> own = {
      {"kernel", &T::kernel, "positions of the window, per axis", 1},
      {"stride", &T::stride, "distance of the inputs in the output, per axis", 1},
      {"dilation", &T::dilation, "distance of the positions, per axis", 1},
      {"padding", &T::padding, "positions left out at both ends, per axis"},
      {"output_padding", &T::output_padding, "further positions at the end, per axis"}};
  return own + affine_fields<T>();
}

std::vector<Field<LocalConv>> LocalConv::fields() {
  return window_fields<LocalConv>() + affine_fields<LocalConv>();
}

std::vector<Field<AdaptiveAveragePool>> AdaptiveAveragePool::fields() {
  return {{"size", &AdaptiveAveragePool::size, "positions of the output, per axis", 1}};
}

std::vector<Field<Pad>> Pad::fields() {
  return {{"before", &Pad::before, "positions before the first, per axis"},
          {"after", &Pad::after, "positions behind the last, per axis"},
          {"mode", &Pad::mode, "what is there"}};
}

std::vector<Field<Crop>> Crop::fields() {
  return {{"before", &Crop::before, "positions left out at the start, per axis"},
          {"after", &Crop::after, "positions left out at the end, per axis"}};
}

std::vector<Field<Upsample>> Upsample::fields() {
  return {{"factor", &Upsample::factor, "output positions for each one, per axis", 1},
          {"mode", &Upsample::mode, "interpolation"}};
}

std::vector<Field<PixelShuffle>> PixelShuffle::fields() {
  return {{"factor", &PixelShuffle::factor, "output positions for each one, per axis", 1}};
}

std::vector<Field<Glu>> Glu::fields() {
  return std::vector<Field<Glu>>{{"activation", &Glu::activation, "φ of the gate"}} + affine_fields<Glu>();
}

std::vector<Field<Rescale>> Rescale::fields() {
  return {{"factor", &Rescale::factor, "multiplies x", -std::numeric_limits<double>::max()}};
}

std::vector<Field<Dropout>> Dropout::fields() {
  return {{"rate", &Dropout::rate, "probability that a coordinate becomes 0, below 1"},
          {"mode", &Dropout::mode, "the network's; in evaluation it is the identity"},
          {"shared", &Dropout::shared, "what shares a mask, within a sample"}};
}

std::vector<Field<GraphConv>> GraphConv::fields() {
  const std::vector<Field<GraphConv>> own = {
      {"normalization", &GraphConv::normalization, "of the adjacency matrix"},
      {"self_loops", &GraphConv::self_loops, "whether every node sees itself"},
      {"self_loop_weight", &GraphConv::self_loop_weight, "of the loops that are added"},
      {"self_weight_variance", &GraphConv::self_weight_variance,
       "variance of a weight on the node itself; 0: none"}};
  return own + affine_fields<GraphConv>();
}

std::vector<Field<GraphAttention>> GraphAttention::fields() {
  using G = GraphAttention;
  return {{"head_size", &G::head_size, "d of n/d heads", 1},
          {"scores", &G::scores, "φ of a sum over the head, or a sum of φ"},
          {"activation", &G::activation, "φ of the scores"},
          {"self_loops", &G::self_loops, "whether every node sees itself"},
          {"weight_variance", &G::weight_variance, variance_of_weight},
          {"attention_variance", &G::attention_variance, "variance of a score's weight times d", 1e-300},
          {"bias_variance", &G::bias_variance, variance_of_bias}};
}

std::vector<Field<Pool>> Pool::fields() {
  const std::vector<Field<Pool>> own = {
      {"count_include_pad", &Pool::count_include_pad, "whether an average counts positions beyond the ends"}};
  return window_fields<Pool>() + own;
}

std::vector<Field<LayerNorm>> LayerNorm::fields() {
  return norm_fields<LayerNorm>() + norm_bias_field<LayerNorm>() + over_field<LayerNorm>();
}

std::vector<Field<RmsNorm>> RmsNorm::fields() { return norm_fields<RmsNorm>() + over_field<RmsNorm>(); }

std::vector<Field<GroupNorm>> GroupNorm::fields() {
  const std::vector<Field<GroupNorm>> own = {
      {"groups", &GroupNorm::groups, "of channels; divides the number of blocks", 1}};
  return own + norm_fields<GroupNorm>() + norm_bias_field<GroupNorm>();
}

std::vector<Field<InstanceNorm>> InstanceNorm::fields() {
  return norm_fields<InstanceNorm>() + norm_bias_field<InstanceNorm>();
}

std::vector<Field<BatchNorm>> BatchNorm::fields() {
  using B = BatchNorm;
  const std::vector<Field<B>> own = {
      {"mode", &B::mode, "the network's"},
      {"running_mean", &B::running_mean, "in evaluation", -std::numeric_limits<double>::max()},
      {"running_variance", &B::running_variance, "in evaluation"}};
  return norm_fields<B>() + norm_bias_field<B>() + own;
}

std::vector<Field<SelfAttention>> SelfAttention::fields() {
  using S = SelfAttention;
  const auto own = [](const char* name, std::optional<double> S::*member, const char* meaning,
                      const char* otherwise) {
    return Field<S>{name, member, meaning, 0, otherwise};
  };
  return {{"weights", &S::weights, "of queries, keys and values"},
          {"heads", &S::heads, "each of width n/heads; without head_size", 1},
          {"mask", &S::mask, "which positions are seen"},
          {"scaling", &S::scaling, "of the scores; 1/sqrt(d) and 1/d with head_size = d"},
          {"temperature", &S::temperature, "divides the scores", 1e-300},
          {"weight_variance", &S::weight_variance, variance_of_weight},
          {"bias_variance", &S::bias_variance, variance_of_bias},
          {"head_size", &S::head_size, "d of n/d heads; 0: heads of width n/heads"},
          {"key_value_heads", &S::key_value_heads, "heads of keys and values, a divisor of heads; 0: all"},
          {"window", &S::window, "distance from which positions are not seen; 0: all are"},
          {"distance_slope", &S::distance_slope, "times the distance, taken off the scores"},
          own("query_variance", &S::query_variance, "weight_variance of the queries, if another",
              "weight_variance"),
          own("key_variance", &S::key_variance, "of the keys", "weight_variance"),
          own("value_variance", &S::value_variance, "of the values", "weight_variance"),
          own("output_variance", &S::output_variance, "of the output", "weight_variance"),
          own("query_bias_variance", &S::query_bias_variance, "bias_variance of the queries, if another",
              "bias_variance"),
          own("key_bias_variance", &S::key_bias_variance, "of the keys", "bias_variance"),
          own("value_bias_variance", &S::value_bias_variance, "of the values", "bias_variance"),
          own("output_bias_variance", &S::output_bias_variance, "of the output", "bias_variance"),
          {"queries_per_key", &S::queries_per_key, "heads that share keys and values, with head_size", 1},
          {"visible", &S::visible, "a row per query, 1 for each key that it sees, else 0"},
          {"score_bias", &S::score_bias, "added to the scores, a row per query, an entry per key"},
          {"relative_bias", &S::relative_bias,
           "added to the scores, by key's - query's position, 0 in the middle"},
          {"relative_bias_variance", &S::relative_bias_variance,
           "variance of a bias of each head and difference of positions, with head_size"},
          {"rotary_base", &S::rotary_base, "of rotary positions, with head_size; 0: none"}};
}

std::vector<Field<CrossAttention>> CrossAttention::fields() {
  return inherited<CrossAttention>(SelfAttention::fields());
}

std::vector<Field<LinearAttention>> LinearAttention::fields() {
  using L = LinearAttention;
  return {{"feature", &L::feature, "ψ"},
          {"weights", Choice<L>(&L::weights, {AttentionWeights::separate, AttentionWeights::tied}),
           "of queries, keys and values"},
          {"heads", &L::heads, "each of width n/heads", 1},
          {"mask", &L::mask, "which positions are seen"},
          {"normalized", &L::normalized, "whether weights are divided by their sum"},
          {"weight_variance", &L::weight_variance, variance_of_weight}};
}

std::vector<Field<SimpleRnn>> SimpleRnn::fields() {
  const std::vector<Field<SimpleRnn>> own = {{"activation", &SimpleRnn::activation, "φ"}};
  return own + recurrent_fields<SimpleRnn>();
}

std::vector<Field<Gru>> Gru::fields() {
  const std::vector<Field<Gru>> own = {{"convention", &Gru::convention, "reset before or after the product"}};
  return own + gated_fields<Gru>() + recurrent_fields<Gru>();
}

std::vector<Field<Lstm>> Lstm::fields() {
  const std::vector<Field<Lstm>> own = {{"forget_bias", &Lstm::forget_bias, "mean of the forget gate's bias",
                                         -std::numeric_limits<double>::max()}};
  return gated_fields<Lstm>() + recurrent_fields<Lstm>() + own;
}

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
            if (of != Pool::Kind::average && !result.count_include_pad) {
              throw ArchitectureError(
                  "count_include_pad = false is for avg_pool, which divides; leave it out",
                  "count_include_pad");
            }
            return result;
          }};
}

template <class L>
LayerKind branched(const std::string& summary) {
  return {
      L::type, summary, {}, {"branches"}, [](const Settings&, const Parts& parts) { return L{parts.at(0)}; }};
}

Layers single(const std::vector<Layers>& lists) { return lists.empty() ? Layers{} : lists.front(); }

template <class L>
concept HasCell = requires(L layer) {
  layer.initial_cell;
};

template <class L>
LayerKind recurrence(const std::string& summary) {
  LayerKind result = kind<L>(summary);
  result.parts = {"initial"};
  if constexpr (HasCell<L>) result.parts.push_back("initial_cell");
  result.optional = result.parts;
  result.make = [](const Settings& settings, const Parts& parts) {
    L made = parse<L>(settings);
    made.initial = single(parts.at(0));
    if constexpr (HasCell<L>) made.initial_cell = single(parts.at(1));
    return made;
  };
  return result;
}

}  // namespace

std::vector<Layers*> parts(Layer& layer) {
  return std::visit(
      []<class L>(L& kind) -> std::vector<Layers*> {
        if constexpr (requires { kind.memory; }) {
          return {&kind.memory};
        } else if constexpr (requires { kind.initial_cell; }) {
          return {&kind.initial, &kind.initial_cell};
        } else if constexpr (requires { kind.initial; }) {
          return {&kind.initial};
        } else if constexpr (requires { kind.shortcut; }) {
          return {&kind.layers, &kind.shortcut};
        } else if constexpr (requires { kind.branches; }) {
          std::vector<Layers*> result;
          for (Layers& branch : kind.branches) result.push_back(&branch);
          return result;
        } else {
          return {};
        }
      },
      layer.kind);
}

const std::vector<LayerKind>& layer_kinds() {
  static const std::vector<LayerKind> table = {
      kind<Input>("the network's inputs, or others beside them, at the start of a list"),
      kind<Dense>("W x + b at every site"),
      kind<Activate>("φ(x)"),
      kind<Conv>("convolution over a grid or a sequence"),
      kind<DepthwiseConv>("convolution of every channel with a kernel of its own"),
      kind<TransposedConv>("transposed convolution"),
      kind<LocalConv>("convolution with weights of its own at every position"),
      kind<GraphConv>("convolution over the edges of a graph"),
      kind<GraphAttention>("softmax attention along the edges of a graph"),
      pool("average over a window", Pool::Kind::average),
      pool("sum over a window", Pool::Kind::sum),
      pool("maximum over a window", Pool::Kind::maximum),
      plain<GlobalAveragePool>("average over the sites of a sample"),
      plain<GlobalSumPool>("sum over the sites of a sample"),
      plain<GlobalMaxPool>("maximum over the sites of a sample"),
      kind<AdaptiveAveragePool>("average that leaves so many positions"),
      kind<Pad>("positions at the ends of a grid"),
      kind<Crop>("without the ends of a grid"),
      kind<Upsample>("interpolation on a finer grid"),
      kind<PixelShuffle>("blocks become positions"),
      plain<Last>("last site of a sample"),
      plain<Flatten>("sites side by side along the width"),
      {Residual::type,
       "layers plus shortcut (the identity if left out)",
       {},
       {"layers", "shortcut"},
       [](const Settings&, const Parts& parts) {
         return Residual{single(parts.at(0)), single(parts.at(1))};
       },
       {"shortcut"}},
      branched<Concat>("branches side by side along the width"),
      branched<Product>("coordinatewise product of branches"),
      branched<Maximum>("coordinatewise maximum of branches (maxout)"),
      kind<Glu>("gated linear unit: (W x + b) ⊙ φ(V x + c)"),
      kind<Rescale>("x times a number"),
      kind<Dropout>("coordinates left out at random, in training"),
      kind<LayerNorm>("mean 0 and variance 1 over the width"),
      kind<RmsNorm>("mean square 1 over the width"),
      kind<GroupNorm>("mean 0 and variance 1 over groups of channels and the sites of a sample"),
      kind<InstanceNorm>("mean 0 and variance 1 over the sites of a sample"),
      kind<BatchNorm>("mean 0 and variance 1 over the batch and its sites"),
      kind<SelfAttention>("softmax attention within a sample"),
      {CrossAttention::type,
       "softmax attention to what `memory` makes of the network's inputs",
       describe<CrossAttention>(),
       {"memory"},
       [](const Settings& settings, const Parts& parts) {
         CrossAttention result = parse<CrossAttention>(settings);
         result.memory = single(parts.at(0));
         return result;
       }},
      kind<LinearAttention>("attention without softmax"),
      recurrence<SimpleRnn>("simple recurrence"),
      recurrence<Gru>("gated recurrent unit"),
      recurrence<Lstm>("long short-term memory"),
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
