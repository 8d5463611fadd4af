// Programs with something changed: their limits are what a calculation by hand says.
#include "nngpcheck/netsor/passes/rewrite.hpp"

#include <memory>

#include "everything.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using Eigen::MatrixXd;
using testing::everything;
using testing::expect_rejected;
using testing::matrix;

const MatrixXd first = matrix({{1, 2}});
const MatrixXd second = matrix({{3, -1}});

void expect_kernel(const Program& program, const MatrixXd& expected) {
  const MatrixXd kernel = analytic::limit(program).value;
  EXPECT_LT((kernel - expected).cwiseAbs().maxCoeff(), 1e-12) << kernel;
}

// U first + V second.
Program two_inputs() {
  Builder b;
  const BundleId x = b.input(b.input_weight({"U", {}, 1}), first);
  b.output(b.readout({"v"}), b.add(x, b.input(b.input_weight({"V", {}, 1}), second)));
  return std::move(b).build();
}

// W U first + W U second + b.
Program two_products() {
  Builder b;
  const InputWeightId u = b.input_weight({"U", {}, 1});
  const WeightId w = b.weight({"W", {}, {}, 2});
  const BundleId left = b.matmul(w, b.input(u, first)), right = b.matmul(w, b.input(u, second));
  b.output(b.readout({"v"}), b.add({{1, left}, {1, right}, {1, b.column(b.bias({"b", {}, 0.5}))}}));
  return std::move(b).build();
}

// x + relu(x), x = U 1.
struct Residual {
  Residual() {
    Builder b;
    const BundleId x = b.input(b.input_weight({"U", {}, 1}), matrix({{1}}));
    const BundleId positive = b.map(Activation::named("relu"), x), made = b.add(x, positive);
    relu = positive.index();
    sum = made.index();
    b.output(b.readout({"v"}), made);
    program = std::make_unique<Program>(std::move(b).build());
  }
  std::unique_ptr<Program> program;
  std::uint32_t relu = 0, sum = 0;
};

MatrixXd gram(const MatrixXd& data) { return data.transpose() * data; }
const MatrixXd half = MatrixXd::Constant(2, 2, 0.5);

TEST(Rewrite, WithoutChangesIsTheSameProgram) {
  EXPECT_EQ(print(change_objects(everything(), {})), print(everything()));
  EXPECT_EQ(print(change_instructions(everything(), {})), print(everything()));
  EXPECT_EQ(print(tie(everything(), {})), print(everything()));
  EXPECT_EQ(print(untie(everything(), {})), print(everything()));
}

TEST(Rewrite, ChangesObjects) {
  expect_kernel(two_products(), 2 * gram(first + second) + half);
  expect_kernel(change_objects(two_products(), {{}, [](Weight& weight) { weight.variance = 6; }, {}}),
                6 * gram(first + second) + half);
  expect_kernel(change_objects(two_products(), {{}, {}, [](Bias& bias) { bias.variance = 0; }}),
                2 * gram(first + second));
  expect_kernel(change_objects(two_products(), {[](InputWeight& weight) { weight.variance = 3; }, {}, {}}),
                6 * gram(first + second) + half);
}

TEST(Rewrite, Ties) {
  const Program apart = two_inputs();
  expect_kernel(apart, gram(first) + gram(second));
  expect_kernel(tie(apart, {{{apart.input_weight(0), apart.input_weight(1)}}, {}, {}}), gram(first + second));
}

TEST(Rewrite, Unties) {
  const Program tied = two_products();
  const Program untied = untie(tied, {tied.weight(0)});
  expect_kernel(untied, 2 * gram(first) + 2 * gram(second) + half);
  EXPECT_EQ(untied.weights()[1].name, "W (2)");
}

// E[(x + relu x)²] = 1 + 1/2 + 2/2 for x ~ N(0, 1).
TEST(Rewrite, Decouples) {
  const Residual residual;
  const Program& program = *residual.program;
  expect_kernel(program, matrix({{2.5}}));
  const auto& terms = std::get<Add>(program.nodes()[residual.sum].operation).terms;
  for (std::size_t term = 0; term < terms.size(); ++term) {
    expect_kernel(decouple(program, program.bundle(residual.sum), term), matrix({{1.5}}));
  }
}

TEST(Rewrite, ChangesInstructions) {
  const Residual residual;
  const auto twice = [](const Draft& draft, std::uint32_t copy) {
    return draft.builder().add({{2, draft.bundle(copy)}}).index();
  };
  // E[(x + 2 relu x)²] = 1 + 4/2 + 4/2.
  expect_kernel(change_instructions(*residual.program, {{residual.relu, twice}}), matrix({{5}}));
  const auto nothing_but = [&](const Draft& draft, std::uint32_t) {
    return draft[draft.source().bundle(residual.relu)].index();
  };
  expect_kernel(change_instructions(*residual.program, {{residual.sum, nothing_but}}), matrix({{0.5}}));
}

TEST(Rewrite, Rejects) {
  const Residual residual;
  expect_rejected([&] { decouple(*residual.program, residual.program->bundle(residual.relu), 0); },
                  {"decouple", "no term 0", "give a sum"});
  expect_rejected([&] { decouple(*residual.program, residual.program->bundle(residual.sum), 2); },
                  {"decouple", "no term 2", "count from 0"});
  const Program all = everything();
  expect_rejected(
      [&] {
        tie(all, {{}, {{all.weight(0), all.weight(1)}}, {}});
      },
      {"tie", "\"W\" and \"E\" differ in shape"});
}

}  // namespace
}  // namespace nngpcheck::netsor
