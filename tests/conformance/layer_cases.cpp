// Layers that no named architecture has, each with its options, in networks small enough to be sampled often.
#include "tests/conformance/cases.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck::testing {

using namespace architectures;
using netsor::Activation;
using netsor::Width;

namespace {

inputs::Inputs grid() {
  inputs::Inputs result = vectors(2, 12);
  result.grid = {2, 3};
  return result;
}

inputs::Inputs signals() {
  inputs::Inputs result = vectors(2, 8);
  result.grid = {4};
  return result;
}

Layer act(const char* name) { return {Activate{Activation::named(name)}}; }

Layer conv(int blocks = 1) {
  return {Conv{.kernel = {2}, .weight_variance = 1.3, .bias_variance = 0.2, .blocks = blocks}};
}

Case layered(const std::string& name, Layers layers, inputs::Inputs inputs) {
  return {"layers " + name, network(std::move(layers), 1.5), std::move(inputs)};
}

Layers between(Layer layer, int blocks = 1) {
  return {conv(blocks), act("tanh"), std::move(layer), act("erf"), {GlobalAveragePool{}}};
}

std::vector<Case> convolutions() {
  const Conv grouped{.kernel = {2}, .bias_variance = 0.3, .blocks = 4, .groups = 2};
  const DepthwiseConv depthwise{.kernel = {2}, .multiplier = 2, .weight_variance = 1.4, .bias_variance = 0.3};
  const TransposedConv transposed{
      .kernel = {2, 3}, .stride = {1, 2}, .padding = {0, 1}, .output_padding = {0, 1}, .bias_variance = 0.3};
  return {
      layered("grouped_conv", between({grouped}, 2), grid()),
      layered("depthwise_conv", between({depthwise}), grid()),
      layered("transposed_conv", between({transposed}), grid()),
      layered("local_conv", between({LocalConv{.kernel = {2}, .bias_variance = 0.3}}), signals()),
      layered("avg_pool_inside",
              between({Pool{.kernel = {2}, .stride = {1}, .padding = "same", .count_include_pad = false}}),
              grid()),
  };
}

std::vector<Case> resizes() {
  return {
      layered("pad_reflect", between({Pad{.before = {1}, .after = {0, 2}, .mode = PadMode::reflect}}),
              grid()),
      layered("pad_crop",
              {conv(),
               act("erf"),
               {Pad{.before = {2}, .after = {1}, .mode = PadMode::circular}},
               conv(),
               {Crop{.before = {1}, .after = {0, 2}}},
               act("relu"),
               {GlobalMaxPool{}}},
              grid()),
      layered("upsample",
              {conv(),
               act("tanh"),
               {Upsample{.factor = {2}, .mode = Interpolation::linear}},
               conv(),
               act("erf"),
               {AdaptiveAveragePool{.size = {2}}},
               {Flatten{}}},
              signals()),
      layered("upsample_nearest", between({Upsample{.factor = {1, 2}}}), grid()),
      layered("pixel_shuffle", between({PixelShuffle{}}, 4), grid()),
      layered("global_sum_pool", {conv(), act("tanh"), {Rescale{0.5}}, {GlobalSumPool{}}}, grid()),
  };
}

std::vector<Case> norms() {
  inputs::Inputs batched = vectors(6, 6);
  batched.batch = {0, 0, 0, 1, 1, 1};
  const LayerNorm layer{.epsilon = 0.1, .gain_variance = 0.2, .bias_variance = 0.3, .over = NormOver::sample};
  return {
      layered("layer_norm_sample", between({layer}), grid()),
      layered("rms_norm",
              {{Dense{.bias_variance = 0.3}},
               act("relu"),
               {RmsNorm{.epsilon = 0.1, .gain_variance = 0.2}},
               {Dense{}},
               act("tanh")},
              vectors(4, 4)),
      layered("rms_norm_sample", between({RmsNorm{.over = NormOver::sample}}), grid()),
      layered(
          "group_norm",
          between({GroupNorm{.groups = 2, .epsilon = 0.1, .gain_variance = 0.2, .bias_variance = 0.1}}, 4),
          grid()),
      layered("instance_norm",
              {conv(),
               {InstanceNorm{.epsilon = 0.1, .gain_variance = 0.2, .bias_variance = 0.1}},
               act("relu"),
               {GlobalAveragePool{}}},
              signals()),
      layered(
          "batch_norm_affine",
          {{Dense{}}, {BatchNorm{.epsilon = 0.1, .gain_variance = 0.2, .bias_variance = 0.3}}, act("relu")},
          batched),
      layered(
          "batch_norm_evaluation",
          {{Dense{}},
           {BatchNorm{
               .epsilon = 0.1, .mode = NetworkMode::evaluation, .running_mean = 0.3, .running_variance = 2}},
           act("relu")},
          vectors(4, 4)),
  };
}

std::vector<Case> gates() {
  inputs::Inputs twice = vectors(4, 4);
  twice.data.col(3) = twice.data.col(1);  // equal inputs have different masks
  const Layers squeeze = {
      {GlobalAveragePool{}}, {Dense{.width = Width(1, 2)}}, act("relu"), {Dense{}}, act("sigmoid")};
  const Layers pieces[2] = {{{Dense{.bias_variance = 0.5}}}, {{Dense{.bias_variance = 0.5}}}};
  return {
      layered("glu", {{Dense{}}, act("tanh"), {Glu{.bias_variance = 0.5}}, {Dense{}}, act("erf")},
              vectors(4, 4)),
      layered("swiglu",
              {{Dense{}}, act("tanh"), {Glu{.activation = Activation::named("silu"), .width = Width(2)}}},
              vectors(4, 4)),
      layered("squeeze_excitation", {conv(), act("tanh"), {Product{{{}, squeeze}}}, {GlobalAveragePool{}}},
              grid()),
      layered("maxout", {{Maximum{{pieces[0], pieces[1]}}}, {Dense{}}, act("tanh")}, vectors(4, 4)),
      layered("dropout",
              {conv(), act("relu"), {Dropout{.rate = 0.3}}, conv(), act("tanh"), {GlobalAveragePool{}}},
              signals()),
      layered("dropout_duplicates", {{Dense{}}, act("relu"), {Dropout{}}, {Dense{}}, act("tanh")}, twice),
      layered(
          "dropout_shared",
          {conv(2), act("relu"), {Dropout{.rate = 0.3, .shared = MaskSharing::sites}}, {GlobalAveragePool{}}},
          signals()),
  };
}

std::vector<Case> attention() {
  const inputs::Inputs words = sequences(3, {3, 2});
  const Layer embedding{Dense{.bias_variance = 0.3}};
  const auto attends = [&](const std::string& name, const SelfAttention& layer) {
    return layered(name, {embedding, act("tanh"), {layer}, act("erf")}, words);
  };
  CrossAttention cross;
  cross.head_size = 2;
  cross.scaling = Scaling::sqrt_d;
  cross.memory = {{Crop{.after = {1}}}, {Dense{.bias_variance = 0.2}}, act("erf")};
  return {
      attends("attention_fixed_head_size",
              {.scaling = Scaling::sqrt_d, .weight_variance = 2, .head_size = 2}),
      attends("attention_over_d", {.weights = AttentionWeights::tied,
                                   .mask = Mask::causal,
                                   .scaling = Scaling::d,
                                   .temperature = 0.5,
                                   .bias_variance = 0.2,
                                   .head_size = 4,
                                   .distance_slope = 0.3}),
      attends("grouped_query_attention", {.weights = AttentionWeights::tied,
                                          .heads = 4,
                                          .temperature = 0.3,
                                          .weight_variance = 1.5,
                                          .bias_variance = 0.4,
                                          .key_value_heads = 2,
                                          .window = 2,
                                          .distance_slope = 0.4}),
      attends("attention_variances", {.heads = 2,
                                      .query_variance = 2,
                                      .key_variance = 0.5,
                                      .value_variance = 1.5,
                                      .output_variance = 0.7,
                                      .query_bias_variance = 1,
                                      .key_bias_variance = 0.6,
                                      .value_bias_variance = 0.3,
                                      .output_bias_variance = 0.2}),
      attends("attention_tables", {.weights = AttentionWeights::tied,
                                   .heads = 2,
                                   .visible = {{1, 0, 1}, {1, 1, 0}, {0, 1, 1}},
                                   .score_bias = {{0.3, 0, -1}, {0.5, 1, 0}, {0, -0.4, 0.2}},
                                   .relative_bias = {-0.5, 0.1, 0.7}}),
      attends("attention_shared_keys", {.scaling = Scaling::sqrt_d,
                                        .head_size = 2,
                                        .query_variance = 2,
                                        .key_bias_variance = 0.5,
                                        .queries_per_key = 2,
                                        .relative_bias = {-0.5, 0.1, 0.7}}),
      attends("attention_learnt_positions", {.mask = Mask::causal,
                                             .scaling = Scaling::sqrt_d,
                                             .head_size = 2,
                                             .queries_per_key = 2,
                                             .relative_bias_variance = 1.5}),
      attends("attention_rotary", {.scaling = Scaling::sqrt_d,
                                   .weight_variance = 2,
                                   .bias_variance = 0.5,
                                   .head_size = 4,
                                   .rotary_base = 3}),
      layered("cross_attention", {{Crop{.before = {1}}}, embedding, act("tanh"), {cross}, act("erf")},
              sequences(3, {3, 3})),
      layered("linear_attention",
              {embedding,
               act("tanh"),
               {LinearAttention{.heads = 2, .mask = Mask::causal, .weight_variance = 2}},
               act("erf")},
              words),
      layered("linear_attention_tied",
              {embedding,
               act("tanh"),
               {LinearAttention{.weights = AttentionWeights::tied, .normalized = false}},
               act("erf")},
              words),
  };
}

std::vector<Case> recurrences() {
  const inputs::Inputs words = sequences(3, {3, 2}), pairs = sequences(3, {3, 3});
  const Layer source{Crop{.after = {2}}}, target{Crop{.before = {1}}};
  const Layers encoder = {source, {SimpleRnn{.bias_variance = 0.4}}, {Last{}}};
  const Layers embedding = {
      source, {Dense{.width = Width(2), .bias_variance = 0.3, .blocks = 2}}, act("tanh"), {Last{}}};
  return {
      layered("lstm_forget_bias", {{Lstm{.bias_variance = 0.4, .forget_bias = 1, .initial_variance = 0.7}}},
              words),
      layered("lstm_unit_forget_bias", {{Lstm{.forget_bias = 1}}, {Last{}}}, words),
      layered("simple_rnn_layer_norm",
              {{SimpleRnn{.activation = Activation::named("erf"), .bias_variance = 0.4, .layer_norm = true}}},
              words),
      layered("gru_layer_norm", {{Gru{.bias_variance = 0.4, .layer_norm = true, .epsilon = 0.1}}}, words),
      layered("gru_torch_layer_norm",
              {{Gru{.convention = GruConvention::torch, .hidden_bias_variance = 0.4, .layer_norm = true}},
               {Last{}}},
              words),
      layered("lstm_layer_norm",
              {{Lstm{.bias_variance = 0.4, .forget_bias = 1, .layer_norm = true}}, {Last{}}}, words),
      layered("lstm_initial_from_layers", {target, {Lstm{.initial = encoder, .initial_cell = encoder}}},
              pairs),
      layered("gru_initial_from_layers",
              {target, {Gru{.bidirectional = true, .initial = embedding}}, {Last{}}}, pairs),
      layered("gru_initial_state", {{Gru{.bias_variance = 0.4, .initial_variance = 0.7}}}, words),
      layered("simple_rnn_initial_state", {{SimpleRnn{.bidirectional = true, .initial_variance = 0.7}}},
              words),
  };
}

std::vector<Case> graphs() {
  std::vector<Case> result;
  inputs::Inputs nodes = vectors(3, 5);
  nodes.graph = {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {2, 3}, {3, 2}, {4, 0, 0.5}};
  const GraphConv gin{.normalization = Normalization::sum, .self_loop_weight = 1.5},
      mean{.normalization = Normalization::row, .self_loops = false, .bias_variance = 0.2};
  result.push_back(layered("gin", {{gin}, act("relu"), {Dense{}}, act("relu"), {gin}, act("tanh")}, nodes));
  result.push_back(
      layered("graphsage", {{Dense{}}, act("relu"), {Residual{{{mean}}, {{Dense{}}}}}, act("tanh")}, nodes));
  inputs::Inputs molecules = nodes, signed_edges = nodes;
  molecules.graph_sizes = {4, 1};
  molecules.graph->pop_back();
  result.push_back(layered("graphs_read_out",
                           {{GraphConv{}}, act("relu"), {GraphConv{}}, act("tanh"), {GlobalSumPool{}}},
                           molecules));
  signed_edges.graph->back().weight = -0.5;
  result.push_back(layered("negative_edges", {{GraphConv{.normalization = Normalization::sum}}, act("tanh")},
                           signed_edges));
  for (const GraphScores scores : {GraphScores::gat, GraphScores::gatv2}) {
    const GraphAttention layer{
        .head_size = 2, .scores = scores, .attention_variance = 3, .bias_variance = 0.2};
    result.push_back(layered(word(scores), {{Dense{}}, act("relu"), {layer}, act("elu")}, nodes));
  }
  return result;
}

}  // namespace

std::vector<Case> layer_cases() {
  std::vector<Case> result;
  for (std::vector<Case> (*family)() :
       {convolutions, resizes, norms, gates, attention, recurrences, graphs}) {
    for (Case& given : family()) result.push_back(std::move(given));
  }
  const Layers first = {{Crop{.after = {1}}}}, second = {{Crop{.before = {1}}}};
  const Layers pairs = {
      {Dense{.bias_variance = 0.3}}, act("relu"), {Product{{first, second}}}, {Dense{}}, act("tanh")};
  result.push_back(layered("siamese", pairs, sequences(3, {2, 2, 2})));
  CrossAttention attention;
  attention.memory = {{Input{"text"}}, {Dense{.bias_variance = 0.3}}, act("erf")};
  inputs::Inputs questions = sequences(3, {2, 1}), pictures = grid();
  questions.others.push_back({"text", sequences(2, {1, 3})});
  result.push_back(layered("other_memory", {{Dense{}}, act("tanh"), {attention}, act("erf")}, questions));
  pictures.others.push_back({"tag", vectors(4, 2)});
  const Layers picture = {conv(), act("relu"), {GlobalAveragePool{}}},
               tag = {{Input{"tag"}}, {Dense{}}, act("erf")};
  result.push_back(layered("image_and_vector", {{Concat{{picture, tag}}}, {Dense{}}, act("tanh")}, pictures));
  Network biased = network({{Dense{}}, act("erf")}, 1.5, 0.4);
  result.push_back({"layers readout_bias", std::move(biased), vectors(4, 4)});
  return result;
}

}  // namespace nngpcheck::testing
