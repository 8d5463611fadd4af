// Layers that do not fit their inputs, or have no limit.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;

TEST(Network, SaysWhatDoesNotFit) {
  const auto refused = [](const Layers& layers, const inputs::Inputs& inputs,
                          std::initializer_list<const char*> parts, const std::string& key = "") {
    expect_refused([&] { program(network(layers), inputs); }, key, parts);
  };
  refused({}, vectors(2), {"no layer draws weights"});
  refused({relu()}, vectors(2), {"layer \"activation1\"", "before any weight", "dense"});
  refused({{Conv{}}}, vectors(2), {"layer \"conv1\"", "needs grids or sequences"});
  refused({{Conv{.kernel = {5}, .padding = "valid"}}}, sentences({6, 3}),
          {"spans 5 positions but sample 1 has 3", "smaller kernel"}, "kernel");
  refused({{Conv{.kernel = {1000}}}}, grids(1, {2, 3}), {"1e+06 positions", "smaller kernel"}, "kernel");
  refused({{Conv{.stride = {1, 2}}}}, sentences({6}), {"stride has 2 entries on a grid of 1 axes"}, "stride");
  refused({{Dense{}}, {Pool{.kind = Pool::Kind::maximum, .kernel = {2}, .dilation = {9}, .padding = "zero"}}},
          sentences({2}), {"wholly beyond"}, "kernel");
  inputs::Inputs last_alone = vectors(3);
  last_alone.batch = {0, 0, 1};
  refused({{Dense{}}, {BatchNorm{}}}, last_alone,
          {"layer \"batch_norm1\"", "input \"2\" is alone in batch 1", "batch_size", "epsilon > 0"});
  refused({{GraphConv{}}}, vectors(2), {"needs a graph", "edges.csv"});
  refused({{GraphConv{}}, {GlobalAveragePool{}}, {GraphConv{}}}, graph(3, cycle(3)),
          {"layer \"graph_conv2\"", "nodes"});
  refused({{Dense{}}, {Flatten{}}}, sentences({2, 3}), {"samples 0 and 1 have 2 and 3 sites"});
  refused({{Dense{}}, {BatchNorm{}}}, vectors(1), {"layer \"batch_norm1\"", "epsilon"});
  // The nodes of a graph have no order.
  refused({{GraphConv{}}, {Conv{}}}, graph(3, cycle(3)), {"needs grids or sequences", "a graph"});
  refused({{GraphConv{}}, {Gru{}}}, graph(3, cycle(3)), {"reads sequences"});
  refused({{GraphConv{}}, {SelfAttention{.mask = Mask::causal}}}, graph(3, cycle(3)), {"needs sequences"},
          "mask");
  refused({{Lstm{}}}, grids(1, {2, 2}), {"layer \"lstm1\"", "reads sequences"});
  refused({{Gru{.hidden_bias_variance = 1}}}, sentences({2}), {"torch"}, "hidden_bias_variance");
  refused({{Dense{}}, {SelfAttention{.scaling = Scaling::sqrt_n}}}, sentences({2}),
          {"no deterministic limit", "1/n"}, "scaling");
  refused({{Dense{}}, {SelfAttention{.weights = AttentionWeights::none, .heads = 2}}}, sentences({2}),
          {"heads = 2"}, "heads");
  refused({{Dense{}}, {SelfAttention{.mask = Mask::causal}}}, grids(1, {2, 2}), {"needs sequences"}, "mask");
  refused({{Dense{}}, {Residual{{{Conv{.stride = {2}}}}, {}}}}, sentences({4}),
          {"layer \"residual1\"", "other sites"});
  refused({{Residual{{{Dense{}}}, {}}}}, vectors(2), {"layer \"residual1\"", "before any weight"});
  refused({{Concat{}}}, vectors(2), {"branches is empty"});
  refused({{Dense{}, "w"}, {Dense{.width = netsor::Width(2)}, "w"}, {Dense{.width = netsor::Width(3)}, "w"}},
          vectors(2), {"layer \"w\"", "\"w.W\"", "another shape or variance"});
  refused({{Dense{.groups = 2}}}, vectors(2), {"groups = 2 does not divide blocks = 1"}, "groups");
  refused({{Dense{.blocks = 2, .groups = 2}}}, vectors(2), {"does not divide the 3 dimensions of the data"},
          "groups");
  refused({{Dense{}}, {GroupNorm{.groups = 2}}}, vectors(2), {"the 1 blocks of the input", "`blocks`"},
          "groups");
  refused({{DepthwiseConv{}}}, sentences({3}), {"before any weight"});
  refused({{LocalConv{}}}, sentences({3, 4}), {"different shapes"});
  refused({{TransposedConv{.kernel = {1}, .padding = {2}}}}, sentences({2}),
          {"nothing is left of the 2 positions"});
  refused({{Pad{.before = {2}, .mode = PadMode::reflect}}, {Dense{}}}, sentences({2}),
          {"less than the 2 positions"}, "before");
  refused({{Crop{.before = {2}}}, {Dense{}}}, sentences({3, 2}), {"nothing is left", "sample 1"});
  refused({{Upsample{.factor = {10000}}}, {Dense{}}}, sentences({200}), {"more than 1e6 positions"},
          "factor");
  const std::vector<std::int64_t> thousands = {9000};
  refused({{Conv{}}, {AdaptiveAveragePool{.size = thousands}}}, grids(2, {2, 2}),
          {"8.1e+07 positions", "at most 1e6"});
  refused({{Conv{}}, {Pad{.before = thousands}}}, grids(1, {2, 2}), {"positions", "at most 1e6"});
  refused({{Conv{}}, {Upsample{.factor = thousands}}}, grids(1, {2, 2}), {"positions", "at most 1e6"});
  refused({{Conv{}}, {TransposedConv{.kernel = thousands}}}, grids(1, {2, 2}), {"more than 10000 positions"},
          "kernel");
  refused({{Conv{}}, {TransposedConv{.stride = thousands}}}, grids(1, {2, 2}), {"positions", "at most 1e6"});
  refused({{Conv{}}, {PixelShuffle{}}}, sentences({3}), {"2 blocks become one, and there are 1"}, "factor");
  // Before 10⁸ of anything are made.
  refused({{Conv{}}, {PixelShuffle{.factor = {10000}}}}, grids(1, {2, 2}), {"100000000 blocks become one"},
          "factor");
  refused({{Conv{}}, {InstanceNorm{}}}, sentences({3, 1}), {"sample 1 has one site"});
  refused({{Dense{}}, {BatchNorm{.mode = NetworkMode::evaluation, .running_variance = 0}}}, vectors(2),
          {"divides by 0"}, "running_variance");
  refused({{Dense{}}, {Dropout{.rate = 1}}}, vectors(2), {"rate = 1: must be below 1"}, "rate");
  refused({{Dropout{}}, {Dense{}}}, vectors(2), {"the kernel would stay random"});
  refused({{Product{}}}, vectors(2), {"branches is empty"});
  refused({{Dense{}}, {SelfAttention{.scaling = Scaling::sqrt_d}}}, sentences({2}), {"head_size = 4"},
          "scaling");
  refused({{Dense{}}, {SelfAttention{.head_size = 2}}}, sentences({2}), {"fixes it"}, "scaling");
  refused({{Dense{}}, {SelfAttention{.heads = 2, .scaling = Scaling::d, .head_size = 2}}}, sentences({2}),
          {"leave out heads"}, "head_size");
  refused({{Dense{}}, {SelfAttention{.heads = 3, .key_value_heads = 2}}}, sentences({2}),
          {"does not divide heads"}, "key_value_heads");
  refused({{Dense{}}, {SelfAttention{.window = 2}}}, grids(1, {2, 2}), {"needs sequences"}, "window");
  refused({{Dense{}}, {CrossAttention{}}}, sentences({2}), {"before any weight"});
  refused({{Dense{.weight_variance = -1}}}, vectors(2), {"weight_variance = -1"}, "weight_variance");
}

TEST(SelfAttention, SaysWhatDoesNotFit) {
  const auto refused = [](const SelfAttention& layer, std::initializer_list<const char*> parts,
                          const std::string& key) {
    expect_refused([&] { program(network({{Dense{}}, {layer}}), sentences({3, 2})); }, key, parts);
  };
  const Table all = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
  EXPECT_NO_THROW(program(network({{Dense{}}, {SelfAttention{.visible = all}}}), sentences({3, 2})));
  refused({.visible = {{1, 1}, {1, 1}}}, {"2 rows of 2", "3 queries and 3 keys"}, "visible");
  refused({.visible = {{1, 1, 1}, {1, 1}, {1, 1, 1}}}, {"rows of 3 and of 2 numbers"}, "visible");
  refused({.visible = {{1, 1, 1}, {0.5, 1, 1}, {1, 1, 1}}}, {"neither 0 nor 1"}, "visible");
  refused({.visible = {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}}}, {"position 1 of sample 0 sees no key"}, "visible");
  refused({.visible = {{1, 1, 1}, {0, 0, 1}, {1, 1, 1}}}, {"position 1 of sample 1 sees no key"}, "visible");
  refused({.mask = Mask::causal, .visible = {{0, 1, 1}, {1, 1, 1}, {1, 1, 1}}}, {"position 0 of sample 0"},
          "visible");
  refused({.score_bias = {{1}}}, {"1 rows of 1"}, "score_bias");
  refused({.score_bias = {{1, 1, 1}, {1, 1, 1}, {1, 1, std::nan("")}}}, {"not finite"}, "score_bias");
  refused({.relative_bias = {1, 2}}, {"2 entries", "odd"}, "relative_bias");
  refused({.query_variance = -1}, {"query_variance = -1"}, "query_variance");
  refused({.weights = AttentionWeights::tied, .query_variance = 1}, {"queries are the keys"},
          "query_variance");
  refused({.weights = AttentionWeights::none, .output_bias_variance = 1}, {"there are no weights"},
          "output_bias_variance");
  refused({.queries_per_key = 2}, {"head_size"}, "queries_per_key");
  refused({.relative_bias_variance = 1}, {"no deterministic limit", "relative_bias"},
          "relative_bias_variance");
  refused({.rotary_base = 10}, {"head_size"}, "rotary_base");
  refused({.scaling = Scaling::d, .head_size = 3, .rotary_base = 10}, {"even head_size"}, "rotary_base");
  refused({.scaling = Scaling::d, .head_size = 2, .key_value_heads = 1},
          {"no deterministic limit", "queries_per_key"}, "key_value_heads");
  const auto on_a_graph = [](const SelfAttention& layer, const char* key) {
    expect_refused(
        [&] {
          program(network({{Dense{}}, {layer}}), graph(3, cycle(3)));
        },
        key, {key, "needs sequences"});
  };
  on_a_graph({.relative_bias = {1}}, "relative_bias");
  on_a_graph({.scaling = Scaling::d, .head_size = 2, .rotary_base = 10}, "rotary_base");
  CrossAttention cross;
  cross.memory = {{Dense{}}};
  cross.relative_bias = {1};
  expect_refused(
      [&] {
        program(network({{Dense{}}, {cross}}), sentences({2}));
      },
      "relative_bias", {"compares positions of one sequence"});
}

}  // namespace
}  // namespace nngpcheck::architectures
