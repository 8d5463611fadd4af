#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LayerList : public Scratch {
 protected:
  LayerList() {
    write("a.csv", "sequence,position,token,x0,x1\n0,0,a,1,0\n0,1,b,0,1\n0,2,c,1,1\n1,0,d,2,0\n");
  }

  Experiment read(const std::string& layers) const {
    return read_experiments(
        write("e.toml", "[inputs]\nfile = \"a.csv\"\n[architecture]\nlayers = " + layers + "\n"))[0];
  }
  std::string error(const std::string& layers) const {
    return error_of([&] { read(layers); });
  }
};

TEST_F(LayerList, ReadsNestedLists) {
  const Experiment found = read(R"toml([
  {type = "conv", kernel = 3, stride = [1], padding = "circular", bias_variance = 0.5, name = "front"},
  {type = "activation", activation = "tanh"},
  {type = "residual", layers = [
    {type = "dense", width = 4},
    {type = "activation", activation = {name = "mine", expression = "x*tanh(x)"}},
    {type = "dense", weight_variance = 2},
  ], shortcut = [{type = "dense"}]},
  {type = "concat", branches = [[{type = "max_pool", kernel = 1}], [{type = "dense", width = "1/2"}]]},
  {type = "lstm", bidirectional = true},
  {type = "self_attention", heads = 2, weights = "tied"},
  {type = "layer_norm"}, {type = "global_avg_pool"},
])toml");
  EXPECT_EQ(found.name, "network");
  EXPECT_EQ(found.program.outputs(), 2);
  const std::string text = netsor::print(found.program);
  EXPECT_THAT(text, AllOf(HasSubstr("front.W[2]\" : A(n, 2), iid N(0, 0.333"),
                          HasSubstr("front.b : G(n), iid N(0, 0.5)"), HasSubstr("dense1.W : A(4n, n)"),
                          HasSubstr("dense2.W : A(n, 4n), iid N(0, 2/(4n))"),
                          HasSubstr("dense4.W : A(n/2, n)"), HasSubstr("lstm1.reverse.U_f@1\" : A(n, n/2)")));
  EXPECT_THAT(text, AllOf(HasSubstr("self_attention1.K1@1\" : A(n/2, n)"), HasSubstr("mine(")));
  const auto& resolved = found.resolved["architecture"]["layers"];
  EXPECT_EQ(resolved[0]["padding"], "circular");
  EXPECT_EQ(resolved[2]["layers"][0]["width"], 4);
  EXPECT_EQ(resolved[3]["branches"][1][0]["width"], "1/2");
  EXPECT_EQ(resolved[5]["mask"], "full");
}

TEST_F(LayerList, EveryKindHasAMinimalForm) {
  for (const char* kind : {"dense",
                           "activation",
                           "conv",
                           "avg_pool\", kernel = 1, name = \"p",
                           "sum_pool\", kernel = 1, name = \"p",
                           "max_pool\", kernel = 1, name = \"p",
                           "global_avg_pool",
                           "last",
                           "layer_norm",
                           "batch_norm",
                           "self_attention",
                           "simple_rnn",
                           "gru",
                           "lstm",
                           "rms_norm",
                           "group_norm",
                           "glu",
                           "rescale",
                           "dropout",
                           "global_sum_pool",
                           "global_max_pool",
                           "linear_attention"}) {
    EXPECT_EQ(error("[{type = \"dense\"}, {type = \"" + std::string(kind) + "\"}]"), "") << kind;
  }
}

TEST_F(LayerList, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(error("\"dense\""), HasSubstr("e.toml:4: architecture.layers is a string, not an array"));
  EXPECT_THAT(error("[\"dense\"]"),
              AllOf(HasSubstr("e.toml:4: architecture.layers holds a string"), HasSubstr("{type = ")));
  EXPECT_THAT(error("[{}]"), HasSubstr("has no \"type\""));
  EXPECT_THAT(error("[\n{type = \"dens\"}]"),
              HasSubstr("e.toml:5: there is no layer of type \"dens\"; did you mean \"dense\"?"));
  const auto of_type = [&](const std::string& type) { return error("[{type = \"" + type + "\"}]"); };
  EXPECT_THAT(of_type("Conv2d"),
              HasSubstr("there is no layer of type \"Conv2d\"; it is called \"conv\" here"));
  EXPECT_THAT(of_type("MultiHeadAttention"), HasSubstr("; it is called \"self_attention\" here"));
  EXPECT_THAT(of_type("BatchNorm"), HasSubstr("did you mean \"batch_norm\"?"));
  EXPECT_THAT(of_type("ReLU"), HasSubstr("write {type = \"activation\", activation = \"relu\"}"));
  EXPECT_THAT(of_type("Dropout2d"), HasSubstr("; it is called \"dropout\" here"));
  EXPECT_THAT(of_type("softmax"), HasSubstr("self_attention"));
  EXPECT_THAT(of_type("ConvTranspose2d"), HasSubstr("; it is called \"transposed_conv\" here"));
  EXPECT_THAT(error("[{type = \"dense\"}, {type = \"self_attention\", scaling = \"1/sqrt(d)\"}]"),
              AllOf(HasSubstr("no deterministic limit"), HasSubstr("head_size = 4 with")));
  EXPECT_THAT(error("[{type = \"dense\", widht = 2}]"), HasSubstr("did you mean \"width\"?"));
  EXPECT_THAT(error("[{type = \"flatten\", width = 2}]"), HasSubstr("unknown key"));
  EXPECT_THAT(error("[\n\n{type = \"dense\", width = 0.5}]"),
              AllOf(HasSubstr("e.toml:6: "), HasSubstr("such as 4 or \"1/2\"")));
  EXPECT_THAT(error("[{type = \"conv\", kernel = [3, \"x\"]}]"),
              HasSubstr("kernel holds a string; give integers"));
  EXPECT_THAT(error("[{type = \"conv\", kernel = 0}]"), HasSubstr("kernel holds 0: must be from 1 to 10000"));
  EXPECT_THAT(error("[{type = \"conv\", padding = \"reflect\"}]"),
              HasSubstr("padding = \"reflect\": must be one of valid|zero|circular|same|integers"));
  EXPECT_THAT(error("[{type = \"conv\", padding = -1}]"),
              HasSubstr("padding holds -1: must be from 0 to 10000"));
  EXPECT_THAT(error("[{type = \"conv\", padding = []}]"), HasSubstr("padding = []: give an integer"));
  EXPECT_THAT(error("[{type = \"conv\", padding = true}]"), HasSubstr("is a boolean, not one of valid|zero"));
  EXPECT_THAT(error("[{type = \"conv\", padding = 0.5}]"), HasSubstr("must be one of valid|zero"));
  EXPECT_THAT(error("[{type = \"lstm\", bidirectional = \"yes\"}]"), HasSubstr("bidirectional"));
  EXPECT_THAT(error("[{type = \"residual\"}]"), HasSubstr("layers is missing; give a list of layers"));
  EXPECT_THAT(error("[{type = \"residual\", layers = 1}]"),
              HasSubstr("layers is an integer, not a list of layers"));
  EXPECT_THAT(error("[{type = \"concat\", branches = [{type = \"dense\"}]}]"),
              HasSubstr("branches is a table, not a list"));
  EXPECT_THAT(error("[]"), HasSubstr("no layer draws weights"));
  EXPECT_THAT(error("[]\nname = \"mlp\""),
              HasSubstr("e.toml:5: architecture has a name and a list of layers"));
  EXPECT_THAT(error("[{type = \"conv\", kernel = 5, padding = \"valid\"}]"),
              AllOf(HasSubstr("e.toml:4: "), HasSubstr("layer \"conv1\""), HasSubstr("spans 5 positions")));
  EXPECT_THAT(error("[{type = \"dense\"}, {type = \"self_attention\", scaling = \"1/sqrt(n)\"}]"),
              HasSubstr("no deterministic limit"));
}

TEST_F(LayerList, SaysWhatDoesNotExistAndWhatComesNearest) {
  const auto layer = [&](const std::string& options) {
    return error("[{type = \"dense\"}, {type = " + options + "}]");
  };
  EXPECT_THAT(layer("\"mlp_mixer\""), HasSubstr("no layer of type \"mlp_mixer\": MLP-Mixer's token mixing"));
  EXPECT_THAT(layer("\"GATConv\""), HasSubstr("it is called \"graph_attention\" here"));
  EXPECT_THAT(layer("\"graph_attention\", heads = 8"), HasSubstr("no deterministic limit"));
  EXPECT_THAT(layer("\"GATv2Conv\""), HasSubstr("graph_attention, with scores = \"gatv2\""));
  EXPECT_THAT(layer("\"softmax\""), HasSubstr("self_attention has one"));
  EXPECT_THAT(layer("\"relu\""),
              HasSubstr("\"relu\" is an activation; write {type = \"activation\", activation = \"relu\"}"));
  EXPECT_THAT(layer("\"bump\""),
              HasSubstr("no layer of type \"bump\"; valid are input, dense, activation, "));
  EXPECT_THAT(layer("\"lstm\", unit_forget_bias = true"),
              HasSubstr("unknown key \"architecture.layers.unit_forget_bias\": the key is forget_bias"));
  EXPECT_THAT(layer("\"lstm\", proj_size = 2"), HasSubstr("no deterministic limit"));
  EXPECT_THAT(layer("\"max_pool\", count_include_pad = false"), HasSubstr("is for avg_pool"));
}

TEST_F(LayerList, ReadsTablesOfNumbers) {
  const auto attention = [](const std::string& options) {
    return "[{type = \"dense\"},\n{type = \"self_attention\", " + options + "}]";
  };
  const Experiment found =
      read(attention("visible = [[1, 0, 0], [1, 1, 0], [1, 1, 1]], relative_bias = [0, 0.5, 1], "
                     "query_variance = 2"));
  const auto& resolved = found.resolved["architecture"]["layers"][1];
  EXPECT_EQ(resolved["visible"][1][0], 1);
  EXPECT_EQ(resolved["relative_bias"][1], 0.5);
  EXPECT_EQ(resolved["query_variance"], 2);
  EXPECT_EQ(resolved["key_variance"], 1);  // weight_variance, as all that are left out
  EXPECT_EQ(resolved["score_bias"].size(), 0u);
  EXPECT_THAT(error(attention("visible = 1")),
              HasSubstr("visible is an integer, not a table, such as [[1, 0]"));
  EXPECT_THAT(error(attention("visible = [1, 0]")), HasSubstr("visible holds an integer, not a table"));
  EXPECT_THAT(error(attention("visible = [[1, \"x\"]]")), HasSubstr("visible holds a string; give numbers"));
  EXPECT_THAT(error(attention("visible = [[1, true]]")), HasSubstr("visible holds a boolean; give numbers"));
  EXPECT_THAT(error(attention("score_bias = [[1, 2]]")),
              AllOf(HasSubstr("e.toml:4: "), HasSubstr("1 rows of 2"), HasSubstr("3 queries and 3 keys")));
  EXPECT_THAT(error(attention("relative_bias = \"x\"")), HasSubstr("is a string, not a list of numbers"));
  EXPECT_THAT(error(attention("relative_bias = [1, 2]")), HasSubstr("give an odd number"));
  EXPECT_THAT(error(attention("query_variance = \"big\"")), HasSubstr("query_variance: must be a number"));
  EXPECT_THAT(error(attention("attn_mask = [[1]]")),
              HasSubstr("the keys are visible, 0 or 1, and score_bias"));
  EXPECT_THAT(error(attention("relative_position_bias = 1")),
              HasSubstr("relative_bias_variance random ones"));
}

TEST_F(LayerList, TwoExpressionsOfOneNameAreRefused) {
  const std::string square = "{type = \"activation\", activation = {name = \"f\", expression = \"x*x\"}}";
  const std::string tanh = "{type = \"activation\", activation = {name = \"f\", expression = \"tanh(x)\"}}";
  const auto residual = [](const std::string& a, const std::string& b) {
    return "[{type = \"dense\"}, {type = \"residual\", layers = [" + a + "], shortcut = [" + b + "]}]";
  };
  EXPECT_THAT(error(residual(square, tanh)), AllOf(HasSubstr("called \"f\""), HasSubstr("another name")));
  EXPECT_EQ(error(residual(square, square)), "");
  EXPECT_EQ(error(residual(square,
                           "{type = \"activation\", activation = {name = \"g\", expression = \"tanh(x)\"}}")),
            "");
}

}  // namespace
}  // namespace nngpcheck::config
