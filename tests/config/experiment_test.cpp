#include "nngpcheck/config/experiment.hpp"

#include "nngpcheck/netsor/printer.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string model = "[architecture]\nname = \"mlp\"\ndepth = 2\nactivation = \"erf\"\n";
const std::string inputs = "[inputs]\nfile = \"a.csv\"\n";
const std::string sweep = "[sweep]\nwidths = [8, 16]\nnetworks = 10\nseed = 3\n";

class ExperimentFile : public Scratch {
 protected:
  ExperimentFile() { write("a.csv", "x0,x1\n1,0\n0,1\n"); }

  std::vector<Experiment> read(const std::string& text,
                               const std::vector<std::string>& overrides = {}) const {
    return read_experiments(write("e.toml", text), overrides);
  }
  std::string error(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return error_of([&] { read(text, overrides); });
  }
  /// The error of a file in which one line of a valid one is replaced.
  std::string error_with(const std::string& line, const std::string& replacement) const {
    std::string text = model + inputs + sweep;
    text.replace(text.find(line), line.size(), replacement);
    return error(text);
  }
};

TEST_F(ExperimentFile, ReadsOne) {
  const auto experiments = read(model + inputs + sweep);
  ASSERT_EQ(experiments.size(), 1u);
  const Experiment& one = experiments[0];
  EXPECT_EQ(one.name, "mlp");
  EXPECT_EQ(one.program.outputs(), 2);
  EXPECT_THAT(one.sweep->widths, ElementsAre(8, 16));
  EXPECT_EQ(one.sweep->networks, 10);
  EXPECT_EQ(one.sweep->seed, 3u);
  EXPECT_EQ(one.sweep->precision, Precision::float64);
}

TEST_F(ExperimentFile, ResolvesEveryDefault) {
  const Experiment one = read(model + inputs + sweep)[0];
  EXPECT_EQ(
      one.resolved.dump(),
      "{\"name\":\"mlp\",\"architecture\":{\"name\":\"mlp\",\"depth\":2,\"activation\":\"erf\","
      "\"weight_variance\":1,\"input_variance\":1,\"bias_variance\":0,\"readout_variance\":1,\"readout_bias_variance\":0},"
      "\"inputs\":{\"file\":\"a.csv\",\"flat\":false,\"grid\":[],\"first\":0,\"count\":2,\"graph\":null,"
      "\"directed\":false,\"batch_size\":2,\"columns\":2,\"dimension\":2},"
      "\"sweep\":{\"widths\":[8,16],\"networks\":10,\"seed\":3,\"precision\":\"float64\"}}");
}

TEST_F(ExperimentFile, NeedsNoSweep) { EXPECT_FALSE(read(model + inputs)[0].sweep); }

TEST_F(ExperimentFile, ReadsSeveral) {
  const std::string first =
      "[[experiment]]\nname = \"a\"\narchitecture = {name = \"mlp\"}\ninputs.file = \"a.csv\"\n";
  const std::string second =
      "[[experiment]]\nname = \"b\"\narchitecture = {name = \"mlp\"}\ninputs.file = \"a.csv\"\n";
  const auto experiments = read(first + second);
  ASSERT_EQ(experiments.size(), 2u);
  EXPECT_EQ(experiments[1].name, "b");
  EXPECT_THAT(error(first + first), HasSubstr("e.toml:5: two experiments are called \"a\""));
  EXPECT_THAT(error(first + "[[experiment]]\narchitecture = {name = \"mlp\"}\n"),
              HasSubstr("e.toml:5: [experiment] has no \"name\""));
  EXPECT_THAT(error(first + "[sweep]\nwidths = [1, 2]\n"), HasSubstr("unknown key \"sweep\""));
  EXPECT_THAT(error("experiment = []"), HasSubstr("experiment holds no table"));
  EXPECT_THAT(error("experiment = [1]"), HasSubstr("experiment holds an integer"));
  EXPECT_THAT(error("[experiment]\nname = \"a\"\n"), HasSubstr("experiment is a table, not an array"));
}

TEST_F(ExperimentFile, ReadsAnExpression) {
  const std::string text = "[architecture]\nname = \"mlp\"\nactivation = ";
  const Experiment one =
      read(text + "{name = \"mine\", expression = \"x*tanh(x)\", kinks = [0]}\n" + inputs)[0];
  EXPECT_THAT(netsor::print(one.program), HasSubstr("mine("));
  EXPECT_EQ(one.resolved["architecture"]["activation"].dump(),
            "{\"name\":\"mine\",\"expression\":\"x*tanh(x)\",\"kinks\":[0.0]}");
  EXPECT_THAT(netsor::print(read(text + "{expression = \"x*tanh(x)\"}\n" + inputs)[0].program),
              HasSubstr("\"x*tanh(x)\"("));
  EXPECT_THAT(error(text + "{expression = \"log(x)\"}\n" + inputs),
              HasSubstr("e.toml:3: expression \"log(x)\": no finite value"));
  EXPECT_THAT(error(text + "{name = \"relu\", expression = \"x\"}\n" + inputs), HasSubstr("e.toml:3: "));
  EXPECT_THAT(error(text + "{name = \"mine\"}\n" + inputs),
              HasSubstr("[architecture.activation] has no \"expression\""));
  EXPECT_THAT(error(text + "{expression = \"x\", kink = []}\n" + inputs),
              HasSubstr("unknown key \"architecture.activation.kink\"; did you mean \"kinks\"?"));
  EXPECT_THAT(error(text + "{expression = \"x\", kinks = [\"a\"]}\n" + inputs),
              HasSubstr("kinks holds a string"));
  EXPECT_THAT(error(text + "{expression = \"x\", kinks = [inf]}\n" + inputs), HasSubstr("e.toml:3: "));
}

TEST_F(ExperimentFile, RejectsUnknownKeysWithTheNearestOne) {
  EXPECT_THAT(error_with("depth = 2", "dpeth = 2"),
              HasSubstr("e.toml:3: unknown key \"architecture.dpeth\"; did you mean \"depth\"?"));
  EXPECT_THAT(error_with("widths =", "width ="),
              HasSubstr("e.toml:8: unknown key \"sweep.width\"; did you mean \"widths\"?"));
  EXPECT_THAT(error_with("file =", "fille ="),
              HasSubstr("e.toml:6: unknown key \"inputs.fille\"; did you mean \"file\"?"));
  EXPECT_THAT(error_with("[sweep]", "[swepe]"),
              HasSubstr("e.toml:7: unknown key \"swepe\"; did you mean \"sweep\"?"));
  EXPECT_THAT(error_with("[architecture]", "[architecure]"),
              HasSubstr("e.toml:1: unknown key \"architecure\"; did you mean \"architecture\"?"));
  EXPECT_THAT(error_with("seed = 3", "sede = 3"),
              HasSubstr("e.toml:10: unknown key \"sweep.sede\"; did you mean \"seed\"?"));
}

TEST_F(ExperimentFile, RejectsUnknownNames) {
  EXPECT_THAT(error_with("\"mlp\"", "\"mpl\""),
              HasSubstr("e.toml:2: unknown architecture \"mpl\"; did you mean \"mlp\"?"));
  EXPECT_THAT(error_with("\"erf\"", "\"erff\""), AllOf(HasSubstr("e.toml:4: "), HasSubstr("\"erf\"")));
  EXPECT_THAT(error("name = \"a b\"\n" + model + inputs), HasSubstr("e.toml:1: name = \"a b\": use letters"));
  EXPECT_THAT(error("name = \"sweep\"\n" + model + inputs), HasSubstr("this is a key"));
  EXPECT_THAT(error("name = \"\"\n" + model + inputs), HasSubstr("use letters"));
}

TEST_F(ExperimentFile, RejectsWrongTypesAndRanges) {
  EXPECT_THAT(error_with("depth = 2", "depth = \"two\""),
              HasSubstr("e.toml:3: architecture.depth: must be an integer"));
  EXPECT_THAT(error_with("depth = 2", "depth = true"),
              HasSubstr("architecture.depth is a boolean, not an integer"));
  EXPECT_THAT(error_with("depth = 2", "depth = [2]"), HasSubstr("architecture.depth is an array"));
  EXPECT_THAT(error_with("depth = 2", "depth = 0"), HasSubstr("e.toml:3: architecture.depth = 0: must be "));
  EXPECT_THAT(error_with("depth = 2", "weight_variance = -1"),
              HasSubstr("e.toml:3: architecture.weight_variance = -1"));
  EXPECT_THAT(error_with("depth = 2", "weight_variance = nan"), HasSubstr("must be finite"));
  EXPECT_THAT(error_with("depth = 2", "weight_variance = {expression = \"x\"}"),
              HasSubstr("is a table, not a number"));
  EXPECT_THAT(error_with("\"mlp\"", "7"),
              HasSubstr("e.toml:2: architecture.name is an integer, not a string"));
  EXPECT_THAT(error_with("\"a.csv\"", "7"), HasSubstr("e.toml:6: inputs.file is an integer, not a string"));
  EXPECT_THAT(error_with("[8, 16]", "8"), HasSubstr("e.toml:8: sweep.widths is an integer, not an array"));
  EXPECT_THAT(error_with("[8, 16]", "[8.5, 16]"), HasSubstr("sweep.widths holds a number; give integers"));
  EXPECT_THAT(error_with("[8, 16]", "[0, 16]"), HasSubstr("sweep.widths holds 0; a width is at least 1"));
  EXPECT_THAT(error_with("[8, 16]", "[-8, 16]"), HasSubstr("holds -8"));
  EXPECT_THAT(error_with("[8, 16]", "[16, 16]"), HasSubstr("must increase: 16 follows 16"));
  EXPECT_EQ(error_with("[8, 16]", "[16]"), "");
  EXPECT_THAT(error_with("[8, 16]", "[]"), HasSubstr("at least 1 widths"));
  EXPECT_THAT(error_with("networks = 10", "networks = 1"),
              HasSubstr("e.toml:9: sweep.networks = 1: must be at least 2"));
  EXPECT_THAT(error_with("networks = 10", "networks = 1000000000000"), HasSubstr("at most 1000000000"));
  EXPECT_THAT(error_with("networks = 10", "networks = 1e2"),
              HasSubstr("sweep.networks is a number, not an integer"));
  EXPECT_THAT(error_with("networks = 10\n", ""),
              HasSubstr("e.toml:7: [sweep] has no \"networks\"; add networks = 100"));
  EXPECT_THAT(error_with("seed = 3", "seed = -1"),
              HasSubstr("e.toml:10: sweep.seed = -1: must not be negative"));
  EXPECT_THAT(error_with("seed = 3", "precision = \"double\""),
              HasSubstr("e.toml:10: sweep.precision = \"double\""));
}

TEST_F(ExperimentFile, RejectsWhatIsNoExperimentFile) {
  EXPECT_THAT(error(""), HasSubstr("e.toml:1: has no \"architecture\""));
  EXPECT_THAT(error("[architecture\n"), HasSubstr("e.toml:1: "));
  EXPECT_THAT(error(model + "depth = 3\n"), HasSubstr("e.toml:5: "));
  EXPECT_THAT(error("\xff\xfe\x00"), HasSubstr("e.toml:1: "));
  EXPECT_THAT(error("architecture = 3\n" + inputs),
              HasSubstr("e.toml:1: architecture is an integer, not a table"));
  EXPECT_THAT(error(model), HasSubstr("has no \"inputs\"; add [inputs]"));
  EXPECT_THAT(error_with("a.csv", "none.csv"),
              AllOf(HasSubstr("e.toml:6: "), HasSubstr("none.csv: no such file")));
  EXPECT_THAT(error_of([&] { read_experiments(folder_ / "none.toml"); }),
              HasSubstr("none.toml: no such file"));
  EXPECT_THAT(error("[architecture]\nname = \"simple_rnn\"\n" + inputs), HasSubstr("e.toml:3: simple_rnn: "));
}

TEST_F(ExperimentFile, TakesOverrides) {
  const std::string text = model + inputs + sweep;
  const Experiment one =
      read(text, {"architecture.depth=1", "architecture.activation=relu", "sweep.networks = 7"})[0];
  EXPECT_EQ(one.resolved["architecture"]["depth"], 1);
  EXPECT_EQ(one.resolved["architecture"]["activation"], "relu");
  EXPECT_EQ(one.sweep->networks, 7);
  EXPECT_THAT(one.sweep->widths, ElementsAre(8, 16));
  EXPECT_EQ(read(model + inputs, {"sweep.widths=[2, 4]", "sweep.networks=2"})[0].sweep->seed, 0u);
  EXPECT_EQ(read(text, {"architecture.activation.expression='x*x'"})[0]
                .resolved["architecture"]["activation"]["name"],
            "x*x");
}

TEST_F(ExperimentFile, OverridesOneOfSeveral) {
  const std::string first =
      "[[experiment]]\nname = \"a\"\narchitecture = {name = \"mlp\"}\ninputs.file = \"a.csv\"\n";
  const std::string second =
      "[[experiment]]\nname = \"b\"\narchitecture = {name = \"mlp\"}\ninputs.file = \"a.csv\"\n";
  const auto experiments = read(first + second, {"b.architecture.depth=3", "architecture.activation=erf"});
  EXPECT_EQ(experiments[0].resolved["architecture"]["depth"], 1);
  EXPECT_EQ(experiments[1].resolved["architecture"]["depth"], 3);
  EXPECT_EQ(experiments[0].resolved["architecture"]["activation"], "erf");
  EXPECT_EQ(experiments[1].resolved["architecture"]["activation"], "erf");
  EXPECT_THAT(error(first + second, {"name=c"}), HasSubstr("two experiments are called \"c\""));
  EXPECT_THAT(error(first + second, {"b=3"}), HasSubstr("\"b\" is an experiment"));
  EXPECT_THAT(error(first + second, {"c.architecture.depth=3"}), HasSubstr("called \"c\"; valid are "));
}

TEST_F(ExperimentFile, NamesTheOverrideInErrors) {
  const std::string text = model + inputs + sweep;
  EXPECT_THAT(error(text, {"architecture.depth=0"}),
              StartsWith("--set architecture.depth=0: architecture.depth = 0"));
  EXPECT_THAT(error(text, {"sweep.widths=[0, 1]"}),
              StartsWith("--set sweep.widths=[0, 1]: sweep.widths holds 0"));
  EXPECT_THAT(error(text, {"sweep.widht=3"}), StartsWith("--set sweep.widht=3: unknown key \"sweep.widht\""));
  EXPECT_THAT(error(text, {"swep.networks=3"}), HasSubstr("called \"swep\"; did you mean \"sweep\"?"));
  EXPECT_THAT(error(text, {"sweep"}), HasSubstr("--set sweep: not an assignment"));
  EXPECT_THAT(error(text, {"=3"}), StartsWith("--set =3: "));
  EXPECT_THAT(error(text, {"sweep.networks=[1"}), HasSubstr("sweep.networks is a string, not an integer"));
  EXPECT_THAT(error(text, {"inputs=3"}), StartsWith("--set inputs=3: inputs is an integer"));
  EXPECT_THAT(error(text, {"inputs.file=none.csv"}),
              StartsWith("--set inputs.file=none.csv: none.csv: no such file"));
}

TEST(ExampleExperiment, ShowsEveryArchitecture) {
  EXPECT_EQ(example_experiment("mlp").program.outputs(), 5);
  EXPECT_EQ(example_experiment("simple_rnn", {"architecture.outputs=last"}).program.outputs(), 2);
  EXPECT_THAT(error_of([] { example_experiment("simple-rnn"); }), HasSubstr("did you mean \"simple_rnn\"?"));
  EXPECT_THAT(error_of([] { example_experiment("mlp", {"architecture.depth=-1"}); }),
              StartsWith("--set architecture.depth=-1: "));
  EXPECT_THAT(error_of([] { example_experiment("mlp", {"inputs.file=a.csv"}); }),
              HasSubstr("unknown key \"inputs\""));
}

TEST(AnArchitectureAlone, IsReadFromText) {
  EXPECT_EQ(read_architecture("name = \"simple_rnn\"", "text").reads, "sequences");
  EXPECT_EQ(read_architecture(model + "[inputs]\nfile = \"none.csv\"", "text").network.layers.size(), 4u);
  const std::string two =
      "[[experiment]]\nname = \"a\"\n[experiment.architecture]\nname = \"mlp\"\n"
      "[[experiment]]\nname = \"b\"\n[experiment.architecture]\nname = \"gru\"\n";
  EXPECT_EQ(read_architecture(two, "text", "b").name, "gru");
  EXPECT_THAT(error_of([&] { read_architecture(two, "text"); }),
              HasSubstr("several experiments; name one: a, b"));
  EXPECT_THAT(error_of([&] { read_architecture(two, "text", "c"); }),
              HasSubstr("no experiment is called \"c\""));
  EXPECT_THAT(error_of([] { read_architecture("name = \"mlp\"\ndept = 1", "text"); }),
              StartsWith("text:2: unknown key \"architecture.dept\""));
}

TEST(AnArchitectureAlone, IsReadFromJson) {
  const auto read = [](const char* json) {
    return architecture_from_json(nlohmann::json::parse(json), "the architecture");
  };
  EXPECT_EQ(
      read(R"({"layers": [{"type": "dense", "weight_variance": 2}, {"type": "activation"}]})").resolved,
      read_architecture("layers = [{type = \"dense\", weight_variance = 2}, {type = \"activation\"}]", "")
          .resolved);
  EXPECT_THAT(error_of([&] { read("[]"); }), HasSubstr("must be a table"));
  EXPECT_THAT(error_of([&] { read(R"({"name": "mlp", "depth": null})"); }), HasSubstr("depth is null"));
  EXPECT_THAT(error_of([&] { read(R"({"name": "mlp", "depth": 9223372036854775808})"); }),
              HasSubstr("depth = 9223372036854775808 is too large"));
  EXPECT_THAT(error_of([&] { read(R"({"name": "mlp", "depth": 0})"); }),
              StartsWith("the architecture: architecture.depth"));
}

}  // namespace
}  // namespace nngpcheck::config
