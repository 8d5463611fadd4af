#include "nngpcheck/architectures/named/mlp.hpp"

#include "nngpcheck/netsor/printer.hpp"
#include "tests/architectures/fixtures.hpp"
#include "tests/netsor/interpreter.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::MatrixXd;

const MlpOptions three_layers = {.depth = 3,
                                 .activation = netsor::Activation::named("tanh"),
                                 .weight_variance = 1.5,
                                 .input_variance = 2,
                                 .bias_variance = 0.25,
                                 .readout_variance = 3};

TEST(Mlp, Prints) {
  EXPECT_EQ(print(mlp(three_layers, vectors(4))), R"(Input:  dense1.W : A(n, 3), iid N(0, 2/3)
Input:  dense2.W : A(n, n), iid N(0, 1.5/n)
Input:  dense3.W : A(n, n), iid N(0, 1.5/n)
Input:  dense1.b : G(n), iid N(0, 0.25)
Input:  dense2.b : G(n), iid N(0, 0.25)
Input:  dense3.b : G(n), iid N(0, 0.25)
  1: g1 := dense1.W D1 : G(n)^4    // D1 is 3×4
  2: g2 := dense1.b : G(n)^1
  3: g3 := g1 + g2 : G(n)^4
  4: x4 := tanh(g3) : H(n)^4
  5: g5 := dense2.W x4 : G(n)^4
  6: g6 := dense2.b : G(n)^1
  7: g7 := g5 + g6 : G(n)^4
  8: x8 := tanh(g7) : H(n)^4
  9: g9 := dense3.W x8 : G(n)^4
 10: g10 := dense3.b : G(n)^1
 11: g11 := g9 + g10 : G(n)^4
 12: x12 := tanh(g11) : H(n)^4
Output: vᵀ x12 / √n, v ~ N(0, 3), 4 columns
)");
}

TEST(Mlp, DefaultsAreOneReluLayerWithoutBias) {
  EXPECT_EQ(print(mlp({}, vectors(2))), R"(Input:  dense1.W : A(n, 3), iid N(0, 1/3)
 1: g1 := dense1.W D1 : G(n)^2    // D1 is 3×2
 2: x2 := relu(g1) : H(n)^2
Output: vᵀ x2 / √n, v ~ N(0, 1), 2 columns
)");
}

TEST(Mlp, NumbersAreTheLoopsNumbers) {
  const inputs::Inputs inputs = vectors(4);
  const netsor::Program program = mlp(three_layers, inputs);
  const Weights weights = draw(program, 5);
  MatrixXd h = (weights.at("dense1.W") * inputs.data).colwise() + weights.at("dense1.b").col(0);
  for (const char* layer : {"2", "3"}) {
    const MatrixXd x = h.array().tanh();
    h = (weights.at(std::string("dense") + layer + ".W") * x).colwise() +
        weights.at(std::string("dense") + layer + ".b").col(0);
  }
  const MatrixXd expected = h.array().tanh();
  EXPECT_LT((outputs(program, weights, 5) - expected).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_GT((outputs(program, weights, 5) - h).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Mlp, LabelsAreTheInputs) {
  EXPECT_EQ(mlp({}, vectors(3)).output().labels, vectors(3).labels);
  EXPECT_EQ(mlp({}, sentences({2, 1})).outputs(), 3);
}

TEST(Mlp, RefusesBadInputs) {
  expect_refused([] { mlp({}, inputs::Inputs{}); }, "", {"the inputs are empty"});
}

}  // namespace
}  // namespace nngpcheck::architectures
