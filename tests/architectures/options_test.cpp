#include "architectures/options.hpp"

#include <limits>

#include "architectures/mlp.hpp"
#include "architectures/registry.hpp"
#include "architectures/simple_rnn.hpp"
#include "tests/architectures/fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using netsor::Activation;

TEST(Options, DefaultsStay) {
  const auto options = parse<MlpOptions>({});
  EXPECT_EQ(options.depth, 1);
  EXPECT_EQ(options.activation, Activation::named("relu"));
  EXPECT_EQ(options.weight_variance, 1);
  EXPECT_EQ(options.input_variance, 1);
  EXPECT_EQ(options.bias_variance, 0);
  EXPECT_EQ(options.readout_variance, 1);
  EXPECT_EQ(parse<SimpleRnnOptions>({}).activation, Activation::named("tanh"));
  EXPECT_EQ(parse<SimpleRnnOptions>({}).output, "all");
}

TEST(Options, EveryTypeIsParsed) {
  const auto options = parse<MlpOptions>({{"depth", std::int64_t{3}},
                                          {"activation", "erf"},
                                          {"weight_variance", 1.5},
                                          {"input_variance", std::int64_t{2}},
                                          {"bias_variance", 0.25}});
  EXPECT_EQ(options.depth, 3);
  EXPECT_EQ(options.activation, Activation::named("erf"));
  EXPECT_EQ(options.weight_variance, 1.5);
  EXPECT_EQ(options.input_variance, 2);
  EXPECT_EQ(options.bias_variance, 0.25);
  const Activation mine = Activation::custom("mine", [](double x) { return x; });
  EXPECT_EQ(parse<MlpOptions>({{"activation", mine}}).activation, mine);
  EXPECT_EQ(parse<SimpleRnnOptions>({{"output", "average"}}).output, "average");
}

TEST(Options, UnknownKeysSuggestTheNearest) {
  expect_refused(
      [] {
        parse<MlpOptions>({{"dept", std::int64_t{3}}});
      },
      "dept", {"unknown key \"dept\"", "did you mean \"depth\"?"});
  expect_refused(
      [] {
        parse<SimpleRnnOptions>({{"bias_varience", 1.0}});
      },
      "bias_varience", {"did you mean \"bias_variance\"?"});
}

TEST(Options, WrongTypesAreRefused) {
  expect_refused([] { parse<MlpOptions>({{"depth", 2.0}}); }, "depth", {"depth: must be an integer"});
  expect_refused([] { parse<MlpOptions>({{"depth", "two"}}); }, "depth", {"must be an integer"});
  expect_refused(
      [] {
        parse<MlpOptions>({{"weight_variance", "big"}});
      },
      "weight_variance", {"weight_variance: must be a number"});
  expect_refused(
      [] {
        parse<MlpOptions>({{"activation", 1.0}});
      },
      "activation", {"activation: must be the name of an activation", "\"relu\""});
  expect_refused(
      [] {
        parse<SimpleRnnOptions>({{"output", 1.0}});
      },
      "output", {"output: must be one of all|last|average"});
}

TEST(Options, ValuesOutOfRangeAreRefused) {
  for (const std::int64_t depth : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    expect_refused(
        [&] {
          parse<MlpOptions>({{"depth", depth}});
        },
        "depth", {"depth = ", "must be from 1 to"});
  }
  const double infinity = std::numeric_limits<double>::infinity();
  for (const char* key : {"weight_variance", "input_variance", "bias_variance", "readout_variance"}) {
    for (const double variance : {-0.5, infinity, std::nan("")}) {
      expect_refused(
          [&] {
            parse<MlpOptions>({{key, variance}});
          },
          key, {key, "must be finite and at least 0"});
    }
    expect_refused([&] { parse<MlpOptions>({{key, std::int64_t{-2}}}); }, key, {"= -2: must be"});
  }
  expect_refused(
      [] {
        parse<SimpleRnnOptions>({{"output", "lst"}});
      },
      "output", {"output = \"lst\"", "all|last|average", "did you mean \"last\"?"});
  expect_refused(
      [] {
        parse<MlpOptions>({{"activation", "rleu"}});
      },
      "activation", {"unknown activation \"rleu\"", "did you mean \"relu\"?"});
}

TEST(Options, StructsFilledByHandAreChecked) {
  check(MlpOptions{});
  expect_refused([] { mlp({.depth = 0}, vectors(2)); }, "depth", {"depth = 0", "from 1 to"});
  expect_refused([] { mlp({.bias_variance = -1}, vectors(2)); }, "bias_variance", {"bias_variance = -1"});
  expect_refused([] { simple_rnn({.bias_variance = std::nan("")}, sentences({2})); }, "bias_variance",
                 {"= nan"});
  expect_refused([] { simple_rnn({.output = "first"}, sentences({2})); }, "output", {"output = \"first\""});
}

TEST(Options, DescribeListsThemAll) {
  const std::vector<OptionInfo> infos = describe<SimpleRnnOptions>();
  ASSERT_EQ(infos.size(), 6u);
  EXPECT_EQ(infos[0].name, "activation");
  EXPECT_EQ(infos[0].type, "activation");
  EXPECT_EQ(infos[0].fallback, "tanh");
  EXPECT_EQ(infos[3].name, "bias_variance");
  EXPECT_EQ(infos[3].type, "number");
  EXPECT_EQ(infos[3].fallback, "0");
  EXPECT_EQ(infos[5].type, "all|last|average");
  EXPECT_EQ(infos[5].fallback, "all");
  EXPECT_EQ(describe<MlpOptions>()[0].type, "integer");
  EXPECT_EQ(describe<MlpOptions>()[0].fallback, "1");
  for (const OptionInfo& info : infos) EXPECT_FALSE(info.meaning.empty());
}

// What `list` promises, every architecture keeps: its options exist, and their fallbacks are valid.
TEST(Registry, ArchitecturesBuildWithTheirDefaults) {
  for (const Architecture& architecture : all()) {
    SCOPED_TRACE(architecture.name);
    EXPECT_EQ(&find(architecture.name), &architecture);
    EXPECT_FALSE(architecture.summary.empty());
    EXPECT_FALSE(architecture.options.empty());
    Settings settings;
    for (const OptionInfo& option : architecture.options) {
      if (option.type == "integer") {
        settings[option.name] = std::int64_t{std::stoi(option.fallback)};
      } else if (option.type == "number") {
        settings[option.name] = std::stod(option.fallback);
      } else {
        settings[option.name] = option.fallback;
      }
    }
    expect_refused(
        [&] {
          architecture.build({{"no such key", 1.0}}, sentences({2, 1}));
        },
        "no such key", {"unknown key"});
    continue;  // others read other inputs
    EXPECT_EQ(architecture.build(settings, sentences({2, 1})).outputs(), 3);
    EXPECT_EQ(architecture.build({}, sentences({2, 1})).outputs(), 3);
  }
}

TEST(Registry, UnknownNamesSuggestTheNearest) {
  expect_refused([] { find("simple-rnn"); }, "name",
                 {"unknown architecture \"simple-rnn\"", "did you mean \"simple_rnn\"?"});
}

}  // namespace
}  // namespace nngpcheck::architectures
