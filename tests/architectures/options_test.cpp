#include "nngpcheck/architectures/options.hpp"

#include <limits>
#include <map>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/registry.hpp"
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
  EXPECT_EQ(parse<SimpleRnnOptions>({}).outputs, SequenceOutputs::tokens);
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
  EXPECT_EQ(parse<SimpleRnnOptions>({{"outputs", "average"}}).outputs, SequenceOutputs::average);
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
        parse<SimpleRnnOptions>({{"outputs", 1.0}});
      },
      "outputs", {"outputs: must be one of tokens|last|average"});
}

TEST(Options, ValuesOutOfRangeAreRefused) {
  for (const std::int64_t depth :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{10001}, std::int64_t{1} << 40}) {
    expect_refused(
        [&] {
          parse<MlpOptions>({{"depth", depth}});
        },
        "depth", {"depth = ", "must be from 1 to"});
  }
  EXPECT_EQ(parse<MlpOptions>({{"depth", std::int64_t{10000}}}).depth, 10000);
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
        parse<SimpleRnnOptions>({{"outputs", "lst"}});
      },
      "outputs", {"outputs = \"lst\"", "tokens|last|average", "did you mean \"last\"?"});
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
  expect_refused([] { simple_rnn({{.bias_variance = std::nan("")}}, sentences({2})); }, "bias_variance",
                 {"= nan"});
  // All words of AttentionWeights but one.
  expect_refused(
      [] {
        program(network({{Dense{}}, {LinearAttention{.weights = AttentionWeights::none}}}), sentences({2}));
      },
      "weights", {"weights = \"none\"", "separate|tied"});
}

TEST(Options, DescribeListsThemAll) {
  const std::vector<OptionInfo> infos = describe<SimpleRnnOptions>();
  std::map<std::string, OptionInfo> by_name;
  for (const OptionInfo& info : infos) {
    EXPECT_FALSE(info.meaning.empty());
    by_name[info.name] = info;
  }
  ASSERT_EQ(infos.size(), 11u);
  EXPECT_EQ(infos[0].name, "activation");
  EXPECT_EQ(by_name["activation"].type_text(), "activation");
  EXPECT_EQ(by_name["activation"].fallback, "tanh");
  EXPECT_EQ(by_name["bias_variance"].type_text(), "number");
  EXPECT_EQ(by_name["bias_variance"].fallback, "0");
  EXPECT_EQ(by_name["bidirectional"].type_text(), "true|false");
  EXPECT_EQ(by_name["bidirectional"].fallback, "false");
  EXPECT_EQ(by_name["depth"].type_text(), "integer");
  EXPECT_EQ(by_name["depth"].fallback, "1");
  EXPECT_EQ(by_name["outputs"].type_text(), "tokens|last|average");
  EXPECT_EQ(by_name["outputs"].fallback, "tokens");
  const std::vector<OptionInfo> conv = describe<Conv>();
  EXPECT_EQ(conv[0].type_text(), "integers");
  EXPECT_EQ(conv[0].fallback, "[3]");
  EXPECT_EQ(conv[3].type_text(), "valid|zero|circular|same|integers");
  EXPECT_EQ(conv[3].fallback, "zero");
  EXPECT_EQ(conv[4].type_text(), "width");
  EXPECT_EQ(conv[4].fallback, "1");
  by_name.clear();
  for (const OptionInfo& info : describe<SelfAttention>()) by_name[info.name] = info;
  EXPECT_EQ(by_name["query_variance"].type_text(), "number");
  EXPECT_EQ(by_name["query_variance"].fallback, "weight_variance");
  EXPECT_EQ(by_name["key_bias_variance"].fallback, "bias_variance");
  EXPECT_EQ(by_name["visible"].type_text(), "table");
  EXPECT_EQ(by_name["visible"].fallback, "[]");
  EXPECT_EQ(by_name["relative_bias"].type_text(), "numbers");
  EXPECT_EQ(describe<Input>()[0].type_text(), "text");
}

TEST(Options, ATextWithoutWordsIsAny) {
  EXPECT_EQ(parse<Input>({{"of", "caption"}}).of, "caption");
  testing::expect_refused([] { parse<Input>({{"of", 1.0}}); }, "of", {"must be a text"});
}

TEST(Options, ListsWidthsAndTruthsAreParsed) {
  EXPECT_EQ(parse<Conv>({{"kernel", std::int64_t{5}}}).kernel, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(parse<Conv>({{"kernel", std::vector<std::int64_t>{5, 1}}}).kernel,
            (std::vector<std::int64_t>{5, 1}));
  EXPECT_EQ(parse<Conv>({{"width", std::int64_t{4}}}).width, netsor::Width(4));
  EXPECT_EQ(parse<Conv>({{"width", "3/6"}}).width, netsor::Width(1, 2));
  EXPECT_EQ(parse<Conv>({{"padding", "SAME"}}).padding.kind(), Padding::Kind::same);
  EXPECT_EQ(parse<Conv>({{"padding", std::int64_t{2}}}).padding, Padding{2});
  EXPECT_EQ(parse<Conv>({{"padding", std::vector<std::int64_t>{0, 2}}}).padding.text(), "[0, 2]");
  EXPECT_TRUE(parse<Lstm>({{"bidirectional", true}}).bidirectional);
  const auto refused = [](const std::string& key, const Value& value, const char* part) {
    expect_refused([&] { parse<Conv>({{key, value}}); }, key, {part});
  };
  refused("kernel", std::int64_t{0}, "kernel holds 0: must be from 1 to 10000");
  refused("kernel", std::vector<std::int64_t>{3, -1}, "kernel holds -1");
  refused("kernel", std::vector<std::int64_t>{3, 10001}, "kernel holds 10001");
  refused("kernel", 2.5, "must be an integer or a list");
  refused("padding", "reflect", "must be one of valid|zero|circular|same|integers");
  refused("padding", std::int64_t{-1}, "padding holds -1: must be from 0 to 10000");
  refused("padding", std::vector<std::int64_t>{1, 10001}, "padding holds 10001");
  refused("padding", std::vector<std::int64_t>{}, "give an integer, or one per axis");
  refused("padding", 0.5, "must be one of valid");
  for (const char* width : {"0", "1/0", "-1", "1/", "n", "1/2x", "", "10001", "1/10001"})
    refused("width", width, "such as 4 or \"1/2\"");
  refused("width", std::int64_t{0}, "such as 4");
  refused("width", std::int64_t{10001}, "of numbers up to 10000");
  refused("width", 0.5, "such as 4");
  expect_refused([] { parse<Lstm>({{"bidirectional", "yes"}}); }, "bidirectional", {"must be true or false"});
}

// What `list` promises, every architecture keeps: its options exist, and their fallbacks are valid.
TEST(Registry, ArchitecturesAreMadeFromTheirDefaults) {
  for (const Architecture& architecture : all()) {
    SCOPED_TRACE(architecture.name);
    EXPECT_EQ(&find(architecture.name), &architecture);
    EXPECT_FALSE(architecture.summary.empty());
    EXPECT_FALSE(architecture.options.empty());
    Settings settings;
    for (const OptionInfo& option : architecture.options) {
      if (option.type == OptionType::integer) {
        settings[option.name] = std::int64_t{std::stoi(option.fallback)};
      } else if (option.type == OptionType::number) {
        settings[option.name] = std::stod(option.fallback);
      } else if (option.type == OptionType::integers) {
        settings[option.name] = std::int64_t{std::stoi(option.fallback.substr(1))};
      } else if (option.type == OptionType::boolean) {
        settings[option.name] = option.fallback == "true";
      } else {
        settings[option.name] = option.fallback;
      }
    }
    const auto same = [](const Network& left, const Network& right) {
      if (left.layers.size() != right.layers.size()) return false;
      for (std::size_t k = 0; k < left.layers.size(); ++k) {
        if (left.layers[k].name != right.layers[k].name) return false;
      }
      return left.readout_variance == right.readout_variance;
    };
    EXPECT_TRUE(same(architecture.make(settings), architecture.make({})));
    expect_refused([&] { architecture.make({{"no such key", 1.0}}); }, "no such key", {"unknown key"});
  }
}

TEST(Registry, UnknownNamesSuggestTheNearest) {
  expect_refused([] { find("simple-rnn"); }, "name",
                 {"unknown architecture \"simple-rnn\"", "did you mean \"simple_rnn\"?"});
}

}  // namespace
}  // namespace nngpcheck::architectures
