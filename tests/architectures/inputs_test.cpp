#include "nngpcheck/inputs/inputs.hpp"

#include <limits>

#include "nngpcheck/inputs/joined_inputs.hpp"
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::MatrixXd;

TEST(Inputs, ValidOnesPass) {
  validate(vectors(1));
  validate(sentences({2, 3, 1}));
  EXPECT_EQ(vectors(4).count(), 4);
  EXPECT_EQ(vectors(4).dimension(), 3);
}

TEST(Inputs, Refused) {
  const auto refused = [](auto spoil, std::initializer_list<const char*> parts) {
    inputs::Inputs inputs = sentences({2, 1});
    spoil(inputs);
    expect_refused([&] { validate(inputs); }, "", parts);
  };
  expect_refused([] { validate(inputs::Inputs{}); }, "",
                 {"the inputs are empty", "give at least one column"});
  refused([](inputs::Inputs& i) { i.data.resize(0, 3); }, {"the inputs are empty", "at least one dimension"});
  refused([](inputs::Inputs& i) { i.data(2, 1) = std::nan(""); }, {"not finite"});
  refused([](inputs::Inputs& i) { i.data(0, 0) = std::numeric_limits<double>::infinity(); }, {"not finite"});
  refused([](inputs::Inputs& i) { i.labels.pop_back(); }, {"3 columns but 2 labels", "give one per column"});
  refused([](inputs::Inputs& i) { i.labels[2] = i.labels[0]; },
          {"two inputs have the same label", "must differ"});
  refused([](inputs::Inputs& i) { i.lengths = {3, 0}; }, {"a sequence is empty", "at least one token"});
  refused(
      [](inputs::Inputs& i) {
        i.lengths = {2, 2};
      },
      {"4 tokens but the inputs 3 columns", "must add up"});
}

TEST(Inputs, OfTwoFilesAreJoined) {
  inputs::Inputs rows = sentences({2, 1}), columns = sentences({2, 3});
  columns.batch = {0, 1};
  const inputs::Inputs both = inputs::joined(rows, columns);
  EXPECT_NO_THROW(validate(both));
  EXPECT_EQ(both.lengths, (std::vector<Eigen::Index>{2, 1, 2, 3}));
  EXPECT_EQ(both.batch, (std::vector<int>{0, 0, 1, 2}));
  EXPECT_EQ(both.data.leftCols(3), rows.data);
  EXPECT_EQ(both.data.rightCols(5), columns.data);
  EXPECT_EQ(both.labels.front(), "row " + rows.labels.front());
  EXPECT_EQ(both.labels.back(), "column " + columns.labels.back());
}

TEST(Inputs, OfTwoKindsAreNotJoined) {
  const auto refused = [](const inputs::Inputs& rows, const inputs::Inputs& columns,
                          std::initializer_list<const char*> parts) {
    expect_refused([&] { inputs::joined(rows, columns); }, "", parts);
  };
  refused(vectors(2), sentences({2}), {"the rows are vectors, but the columns are sequences", "of one kind"});
  inputs::Inputs grid = vectors(4), other = vectors(4), graph = vectors(2), thin = vectors(2);
  grid.grid = {2, 2};
  other.grid = {4};
  graph.graph.emplace();
  thin.data.conservativeResize(1, Eigen::NoChange);
  refused(grid, other, {"samples on a grid of 2×2, but the columns are samples on a grid of 4"});
  refused(graph, graph, {"the nodes of a graph are one sample"});
  refused(thin, vectors(2), {"the rows have 1 numbers each, but the columns 3", "of one dimension"});
}

inputs::Inputs with(inputs::Inputs first, const std::string& name, inputs::Inputs other) {
  first.others.push_back({name, std::move(other)});
  return first;
}

// An image and a vector of other dimension: the vector's half is that of the vectors alone.
TEST(OtherInputs, AreReadByBranches) {
  inputs::Inputs tags = vectors(2);
  tags.data = tags.data.topRows(2).eval();
  const Layers image = {{Conv{.kernel = {2}}, "c"}, relu(), {GlobalAveragePool{}}};
  const Layers tag = {{Input{"tag"}}, {Dense{}, "d"}, relu()};
  const inputs::Inputs images = grids(2, {2, 3});
  const Sample found = sample({{Concat{{image, tag}}}}, with(images, "tag", tags));
  EXPECT_EQ(found.program.output().labels, (std::vector<std::string>{"0", "1"}));
  expect_equal(found.values().topRows(n), sample(image, images).values());
  expect_equal(found.values().bottomRows(n), (found.weights.at("d.W") * tags.data).cwiseMax(0));
}

// Queries and memories of lengths of their own: each sample is what it is alone.
TEST(OtherInputs, AreOfTheirSamples) {
  CrossAttention attention;
  attention.memory = {{Input{"text"}}, {Dense{}, "m"}, relu()};
  const Layers layers = {{Dense{}, "q"}, relu(), {attention}, {Last{}}};
  const inputs::Inputs questions = sentences({2, 1}), texts = sentences({1, 3});
  inputs::Inputs question = sentences({1}), text = sentences({3});
  question.data = questions.data.rightCols(1);
  text.data = texts.data.rightCols(3);
  const MatrixXd both = sample(layers, with(questions, "text", texts)).values();
  expect_equal(both.col(1), sample(layers, with(question, "text", text)).values());
  text.data.col(0).swap(text.data.col(1));  // attention knows no order
  expect_equal(both.col(1), sample(layers, with(question, "text", text)).values());
  text.data.col(0) *= 2;
  EXPECT_GT((both.col(1) - sample(layers, with(question, "text", text)).values()).cwiseAbs().maxCoeff(),
            1e-3);
}

TEST(OtherInputs, AreInitialStatesAndShortcuts) {
  SimpleRnn rnn;
  rnn.initial = {{Input{"state"}}, {Dense{}, "d"}};
  const Sample begun = sample({{rnn, "r"}}, with(sentences({1, 1}), "state", vectors(2)));
  const auto& w = begun.weights;
  const MatrixXd x = vectors(2).data;
  expect_equal(begun.values(), (w.at("r.W") * (w.at("d.W") * x) + w.at("r.U") * x).array().tanh().matrix());
  const Layers again = {{Dense{}, "d"}, relu(), {Residual{{{Dense{}, "e"}}, {{Input{}}, {Dense{}, "s"}}}}};
  const Sample found = sample(again, vectors(3));
  const MatrixXd h = (found.weights.at("d.W") * vectors(3).data).cwiseMax(0);
  expect_equal(found.values(), found.weights.at("e.W") * h + found.weights.at("s.W") * vectors(3).data);
}

TEST(OtherInputs, ThatDoNotFitAreRefused) {
  const Layers reads = {{Concat{{Layers{{Dense{}}}, Layers{{Input{"b"}}, {Dense{}}}}}}};
  const auto refused = [&](const inputs::Inputs& inputs, std::initializer_list<const char*> parts,
                           const Layers& layers) {
    expect_refused([&] { sample(layers, inputs); }, "", parts);
  };
  EXPECT_NO_THROW(sample(reads, with(vectors(2), "b", vectors(2))));
  refused(with(vectors(2), "b", vectors(3)), {"the inputs \"b\" have 3 samples, the first inputs 2"}, reads);
  refused(with(vectors(2), "c", vectors(2)), {"no inputs \"b\"", "valid is c"}, reads);
  refused(vectors(2), {"layer \"input1\": there are no inputs \"b\"", "inputs.others.b"}, reads);
  refused(with(vectors(2), "b", vectors(2)), {"no layer reads the inputs \"b\""}, {{Dense{}}});
  refused(with(with(vectors(2), "b", vectors(2)), "b", vectors(2)), {"two inputs are called \"b\""}, reads);
  refused(with(vectors(2), "b", with(vectors(2), "c", vectors(2))), {"\"b\" are a graph or have others"},
          reads);
  refused(with(vectors(2), "b", graph(2, {{0, 1}})), {"\"b\" are a graph"}, reads);
  refused(with(vectors(2), "b", {}), {"the inputs \"b\": the inputs are empty"}, reads);
  refused(with(vectors(2), "b", sentences({2, 1})), {"the branches give different sites"}, reads);
  refused(vectors(2), {"put it first"}, {{Dense{}}, {Input{}}, {Dense{}}});
  expect_refused([] { inputs::joined(with(vectors(2), "b", vectors(2)), vectors(2)); }, "",
                 {"samples of several inputs cannot be joined"});
}

}  // namespace
}  // namespace nngpcheck::architectures
