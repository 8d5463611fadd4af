#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "tests/architectures/fixtures.hpp"
#include "tests/netsor/interpreter.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::int64_t n = 5;

SimpleRnnOptions with_output(SequenceOutputs output) {
  return {{.weight_variance = 1.5, .input_variance = 2, .bias_variance = 0.25}, 1, 1, output};
}

// The definition, one sequence and one token at a time; one column per output.
MatrixXd loop(const inputs::Inputs& inputs, const Weights& weights, SequenceOutputs output) {
  std::vector<VectorXd> columns;
  Index token = 0;
  for (const Index length : inputs.lengths) {
    VectorXd state = VectorXd::Zero(n);
    VectorXd sum = VectorXd::Zero(n);
    for (Index t = 0; t < length; ++t, ++token) {
      const VectorXd before = weights.at("simple_rnn1.W") * state +
                              weights.at("simple_rnn1.U") * inputs.data.col(token) +
                              weights.at("simple_rnn1.b").col(0);
      state = before.array().tanh();
      sum += state;
      if (output == SequenceOutputs::tokens) columns.push_back(state);
    }
    if (output == SequenceOutputs::last) columns.push_back(state);
    if (output == SequenceOutputs::average) columns.push_back(sum / static_cast<double>(length));
  }
  MatrixXd result(n, static_cast<Index>(columns.size()));
  for (std::size_t j = 0; j < columns.size(); ++j) result.col(static_cast<Index>(j)) = columns[j];
  return result;
}

TEST(SimpleRnn, NumbersAreTheLoopsNumbers) {
  for (const std::vector<Index>& lengths : {std::vector<Index>{1}, {3}, {2, 2}, {2, 4, 1, 3}, {1, 1, 5}}) {
    const inputs::Inputs inputs = sentences(lengths);
    for (const SequenceOutputs output :
         {SequenceOutputs::tokens, SequenceOutputs::last, SequenceOutputs::average}) {
      const netsor::Program program = simple_rnn(with_output(output), inputs);
      const Weights weights = draw(program, n);
      const MatrixXd expected = loop(inputs, weights, output);
      ASSERT_EQ(program.outputs(), expected.cols());
      EXPECT_LT((outputs(program, weights, n) - expected).cwiseAbs().maxCoeff(), 1e-13);
    }
  }
}

// The check above can fail: with the lengths confused, the numbers differ.
TEST(SimpleRnn, LengthsMatter) {
  const netsor::Program program = simple_rnn(with_output(SequenceOutputs::last), sentences({2, 4}));
  const Weights weights = draw(program, n);
  const MatrixXd wrong = loop(sentences({4, 2}), weights, SequenceOutputs::last);
  EXPECT_GT((outputs(program, weights, n) - wrong).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(SimpleRnn, PrintsAWholeProgram) {
  EXPECT_EQ(print(simple_rnn(with_output(SequenceOutputs::last), sentences({2, 3}))),
            R"(Input:  simple_rnn1.U : A(n, 3), iid N(0, 2/3)
Input:  simple_rnn1.W : A(n, n), iid N(0, 1.5/n)
Input:  simple_rnn1.b : G(n), iid N(0, 0.25)
  1: g1 := simple_rnn1.U D1 : G(n)^5    // D1 is 3×5
  2: g2 := simple_rnn1.b : G(n)^1
  3: g3 := g1 + g2 : G(n)^5
  4: g4 := g3 M4 : G(n)^2    // M4 is 5×2, 2 nonzeros
  5: x5 := tanh(g4) : H(n)^2
  6: g6 := simple_rnn1.W x5 : G(n)^2
  7: g7 := g3 M7 : G(n)^2    // M7 is 5×2, 2 nonzeros
  8: g8 := g6 + g7 : G(n)^2
  9: x9 := tanh(g8) : H(n)^2
 10: x10 := x9 M10 : H(n)^1    // M10 is 2×1, 1 nonzeros
 11: g11 := simple_rnn1.W x10 : G(n)^1
 12: g12 := g3 M12 : G(n)^1    // M12 is 5×1, 1 nonzeros
 13: g13 := g11 + g12 : G(n)^1
 14: x14 := tanh(g13) : H(n)^1
 15: x15 := x5 M15 : H(n)^5    // M15 is 2×5, 2 nonzeros
 16: x16 := x9 M16 : H(n)^5    // M16 is 2×5, 2 nonzeros
 17: x17 := x14 M17 : H(n)^5    // M17 is 1×5, 1 nonzeros
 18: x18 := x15 + x16 + x17 : H(n)^5
 19: x19 := x18 M19 : H(n)^2    // M19 is 5×2, 2 nonzeros
Output: vᵀ x19 / √n, v ~ N(0, 1), 2 columns
)");
}

TEST(SimpleRnn, PrintsWithoutBias) {
  EXPECT_EQ(print(simple_rnn({{.activation = netsor::Activation::named("erf")}}, sentences({2}))),
            R"(Input:  simple_rnn1.U : A(n, 3), iid N(0, 1/3)
Input:  simple_rnn1.W : A(n, n), iid N(0, 1/n)
  1: g1 := simple_rnn1.U D1 : G(n)^2    // D1 is 3×2
  2: g2 := g1 M2 : G(n)^1    // M2 is 2×1, 1 nonzeros
  3: x3 := erf(g2) : H(n)^1
  4: g4 := simple_rnn1.W x3 : G(n)^1
  5: g5 := g1 M5 : G(n)^1    // M5 is 2×1, 1 nonzeros
  6: g6 := g4 + g5 : G(n)^1
  7: x7 := erf(g6) : H(n)^1
  8: x8 := x3 M8 : H(n)^2    // M8 is 1×2, 1 nonzeros
  9: x9 := x7 M9 : H(n)^2    // M9 is 1×2, 1 nonzeros
 10: x10 := x8 + x9 : H(n)^2
Output: vᵀ x10 / √n, v ~ N(0, 1), 2 columns
)");
}

TEST(SimpleRnn, LastTokensNeedNothingElseWhenRestricted) {
  const inputs::Inputs inputs = sentences({2, 4, 1});
  const netsor::Program program = simple_rnn(with_output(SequenceOutputs::tokens), inputs);
  const Weights weights = draw(program, n);
  const netsor::Program second = restrict_outputs(program, {5, 3});
  EXPECT_EQ(second.type(second.bundle(0)).columns, 4);  // the four tokens of the second sequence
  const MatrixXd expected =
      loop(inputs, weights, SequenceOutputs::tokens)(Eigen::all, std::vector<Index>{5, 3});
  EXPECT_LT((outputs(second, weights, n) - expected).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_EQ(print(restrict_outputs(program, {0, 1, 2, 3, 4, 5, 6})), print(program));
}

TEST(SimpleRnn, RefusesPlainVectors) {
  expect_refused([] { simple_rnn({}, vectors(2)); }, "",
                 {"layer \"simple_rnn1\"", "reads sequences", "sequence,position,token,x0,x1"});
}

}  // namespace
}  // namespace nngpcheck::architectures
