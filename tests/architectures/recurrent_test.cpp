// Recurrent layers.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;

TEST(Recurrent, BackwardRunIsTheForwardRunOnReversedSequences) {
  const inputs::Inputs inputs = sentences({4, 2, 3});
  inputs::Inputs reversed = inputs;
  std::vector<Index> order;
  Index first = 0;
  for (const Index length : inputs.lengths) {
    for (Index t = length; t-- > 0;) order.push_back(first + t);
    first += length;
  }
  reversed.data = inputs.data(Eigen::all, order);
  for (const Layer::Kind& kind :
       std::vector<Layer::Kind>{SimpleRnn{.bias_variance = 1, .bidirectional = true},
                                Gru{.bidirectional = true}, Lstm{.bidirectional = true}}) {
    const Sample both = sample({{kind, "r"}}, inputs);
    Sample mirrored = sample({{kind, "r"}}, reversed);
    for (auto& [name, matrix] : mirrored.weights) {
      if (!name.starts_with("r.reverse")) matrix = both.weights.at("r.reverse" + name.substr(1));
    }
    expect_equal(both.values().bottomRows(n), mirrored.values().topRows(n)(Eigen::all, order));
    EXPECT_GT((both.values().bottomRows(n) - both.values().topRows(n)).cwiseAbs().maxCoeff(), 1e-3);
  }
}

// A shorter sequence of a batch is read as if it were alone: its last state, its average, and the backward
// run from its own end.
TEST(Recurrent, SequencesHaveTheirOwnLengths) {
  const inputs::Inputs batch = sentences({4, 2});
  inputs::Inputs alone = sentences({2});
  alone.data = batch.data.rightCols(2);
  for (const Layer& pool : {Layer{Last{}}, Layer{GlobalAveragePool{}}, Layer{GlobalMaxPool{}}}) {
    for (const Layer::Kind& kind : std::vector<Layer::Kind>{
             SimpleRnn{.bidirectional = true}, Gru{.bidirectional = true}, Lstm{.bidirectional = true}}) {
      const MatrixXd both = sample({{kind, "r"}, pool}, batch).values();
      expect_equal(both.col(1), sample({{kind, "r"}, pool}, alone).values());
      inputs::Inputs padded = sentences({4, 4});
      padded.data << batch.data, MatrixXd::Zero(3, 2);
      EXPECT_GT((both - sample({{kind, "r"}, pool}, padded).values()).cwiseAbs().maxCoeff(), 1e-3);
    }
  }
}

MatrixXd normalized(const MatrixXd& x, double epsilon) {
  const MatrixXd centred = x.rowwise() - x.colwise().mean();
  const Eigen::RowVectorXd squares = centred.array().square().colwise().mean();
  return centred.array().rowwise() / (squares.array() + epsilon).sqrt();
}

MatrixXd sigmoid(const MatrixXd& x) { return 1 / (1 + (-x.array()).exp()); }

TEST(SimpleRnn, LayerNormIsOfTheSum) {
  const inputs::Inputs inputs = sentences({3});
  const SimpleRnn layer{.bias_variance = 0.5, .layer_norm = true, .epsilon = 0.1};
  const Sample found = sample({{layer, "r"}}, inputs);
  const auto& w = found.weights;
  MatrixXd state = MatrixXd::Zero(n, 1), expected(n, 3);
  for (Index t = 0; t < 3; ++t) {
    const MatrixXd sum = w.at("r.W") * state + w.at("r.U") * inputs.data.col(t);
    state = (normalized(sum, 0.1) + w.at("r.b")).array().tanh();
    expected.col(t) = state;
  }
  expect_equal(found.values(), expected);
}

// Ba, Kiros and Hinton 2016, equations (20) to (22).
TEST(Lstm, LayerNormsAreOfAllGatesAndOfTheCell) {
  const inputs::Inputs inputs = sentences({3});
  const Lstm layer{.bias_variance = 0.5, .forget_bias = 1, .layer_norm = true, .epsilon = 0.1};
  const Sample found = sample({{layer, "r"}}, inputs);
  const auto& w = found.weights;
  const std::vector<std::string> gates = {"_f", "_i", "_g", "_o"};
  MatrixXd recurrent(4 * n, n), input(4 * n, 3), bias(4 * n, 1);
  for (Index k = 0; k < 4; ++k) {
    const std::string& gate = gates[static_cast<std::size_t>(k)];
    recurrent.middleRows(k * n, n) = w.at("r.W" + gate);
    input.middleRows(k * n, n) = w.at("r.U" + gate);
    bias.middleRows(k * n, n) = w.at("r.b" + gate);
  }
  MatrixXd state = MatrixXd::Zero(n, 1), cell = state, expected(n, 3);
  for (Index t = 0; t < 3; ++t) {
    const MatrixXd sums =
        normalized(recurrent * state, 0.1) + normalized(input * inputs.data.col(t), 0.1) + bias;
    const auto gate = [&](Index k) { return MatrixXd(sums.middleRows(k * n, n)); };
    cell =
        sigmoid(gate(0)).cwiseProduct(cell) + sigmoid(gate(1)).cwiseProduct(MatrixXd(gate(2).array().tanh()));
    state = sigmoid(gate(3)).cwiseProduct(MatrixXd(normalized(cell, 0.1).array().tanh()));
    expected.col(t) = state;
  }
  expect_equal(found.values(), expected);
}

TEST(Gru, LayerNormsAreOfBothGatesAndOfTheCandidate) {
  const inputs::Inputs inputs = sentences({3});
  const Gru layer{
      .convention = GruConvention::torch, .bias_variance = 0.5, .layer_norm = true, .epsilon = 0.1};
  const Sample found = sample({{layer, "r"}}, inputs);
  const auto& w = found.weights;
  MatrixXd state = MatrixXd::Zero(n, 1), expected(n, 3);
  for (Index t = 0; t < 3; ++t) {
    const auto both = [&](const char* letter, const MatrixXd& x) {
      MatrixXd products(2 * n, 1);
      products << w.at(std::string("r.") + letter + "_z") * x, w.at(std::string("r.") + letter + "_r") * x;
      return normalized(products, 0.1);
    };
    const MatrixXd sums = both("W", state) + both("U", inputs.data.col(t));
    const MatrixXd z = sigmoid(sums.topRows(n) + w.at("r.b_z")),
                   r = sigmoid(sums.bottomRows(n) + w.at("r.b_r"));
    const MatrixXd hidden = normalized(w.at("r.W_c") * state, 0.1);
    const MatrixXd candidate =
        (normalized(w.at("r.U_c") * inputs.data.col(t), 0.1) + w.at("r.b_c") + r.cwiseProduct(hidden))
            .array()
            .tanh();
    state = (1 - z.array()) * candidate.array() + z.array() * state.array();
    expected.col(t) = state;
  }
  expect_equal(found.values(), expected);
}

// As an encoder and a decoder: the state before the first token is what layers make of other tokens.
TEST(Recurrent, InitialStatesAreThoseOfLayers) {
  const inputs::Inputs inputs = sentences({3, 3});
  const Layers head = {{Crop{.before = {0}, .after = {2}}}, {Dense{}, "d"}, {Last{}}};
  const Layer tail{Crop{.before = {1}}};
  const Sample found = sample({tail, {SimpleRnn{.initial = head}, "r"}}, inputs);
  const auto& w = found.weights;
  MatrixXd expected(n, 4);
  for (Index s = 0; s < 2; ++s) {
    MatrixXd state = w.at("d.W") * inputs.data.col(3 * s);
    for (Index t = 0; t < 2; ++t) {
      state = (w.at("r.W") * state + w.at("r.U") * inputs.data.col(3 * s + 1 + t)).array().tanh();
      expected.col(2 * s + t) = state;
    }
  }
  expect_equal(found.values(), expected);
  const Sample zero = sample({tail, {SimpleRnn{}, "r"}}, inputs);
  EXPECT_GT((zero.values() - expected).cwiseAbs().maxCoeff(), 1e-3);

  // The first step of an LSTM from both.
  Layers cell = head;
  cell[1].name = "e";
  const Sample lstm = sample({tail, {Lstm{.initial = head, .initial_cell = cell}, "r"}}, inputs);
  const auto& v = lstm.weights;
  const MatrixXd h = v.at("d.W") * inputs.data.col(0), c = v.at("e.W") * inputs.data.col(0);
  const auto sum = [&](const char* gate) {
    return MatrixXd(v.at(std::string("r.W") + gate) * h +
                    v.at(std::string("r.U") + gate) * inputs.data.col(1));
  };
  const MatrixXd next = sigmoid(sum("_f")).cwiseProduct(c) +
                        sigmoid(sum("_i")).cwiseProduct(MatrixXd(sum("_g").array().tanh()));
  expect_equal(lstm.values().col(0), sigmoid(sum("_o")).cwiseProduct(MatrixXd(next.array().tanh())));
}

TEST(Recurrent, InitialStatesThatDoNotFitAreRefused) {
  const inputs::Inputs inputs = sentences({3, 2});
  const auto refused = [&](const Layer::Kind& kind, const char* key,
                           std::initializer_list<const char*> parts) {
    expect_refused([&] { program(network({{Dense{}}, {kind}}), inputs); }, key, parts);
  };
  const Layers state = {{Dense{}}, {Last{}}};
  EXPECT_NO_THROW(program(network({{Dense{}}, {Gru{.initial = state}}}), inputs));
  refused(SimpleRnn{.initial = {{Dense{}}}}, "initial", {"other sites than one for each sample"});
  refused(Gru{.initial = {{Last{}}}}, "initial", {"raw data", "dense"});
  refused(Gru{.bidirectional = true, .initial = state}, "initial", {"1 blocks", "2 directions"});
  refused(Gru{.bidirectional = true, .initial = {{Dense{.blocks = 2}}, {Last{}}}}, "initial",
          {"another width than n", "width = 2"});
  refused(Gru{.initial_variance = 1, .initial = state}, "initial_variance", {"is given; leave it out"});
  refused(Lstm{.initial = state, .initial_cell = {{Dense{}}}}, "initial_cell", {"other sites"});
}

}  // namespace
}  // namespace nngpcheck::architectures
