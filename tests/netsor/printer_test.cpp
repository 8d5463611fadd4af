#include "nngpcheck/netsor/printer.hpp"

#include <gmock/gmock.h>

#include "nngpcheck/netsor/builder.hpp"
#include "tests/netsor/everything.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::everything;
using nngpcheck::testing::matrix;

TEST(Printer, PrintsEveryInstruction) {
  EXPECT_EQ(print(everything()), R"(Input:  U : A(n, 3), iid N(0, 2/3)
Input:  W : A(n, n), iid N(0, 1.5/n)
Input:  E : A(2n, n), iid N(0, 1/n)
Input:  b : G(n), iid N(0.25, 0.5)
  1: g1 := U D1 : G(n)^6    // D1 is 3×6
  2: g2 := b : G(n)^1
  3: g3 := g1 + g2 : G(n)^6
  4: x4 := tanh(g3) : H(n)^6
  5: g5 := W x4 : G(n)^6
  6: g6 := g5 M6 : G(n)^4    // M6 is 6×4, 7 nonzeros
  7: x7 := x4 M7 : H(n)^4    // M7 is 6×4, 4 nonzeros
  8: x8 := erf(g6) : H(n)^4
  9: x9 := x7 ⊙ x8 : H(n)^4
 10: x10 := x4 M10 : H(n)^1    // M10 is 6×1, 1 nonzeros
 11: x11 := x9 ⊙ x10 : H(n)^4
 12: x12 := max(g6, x11) : H(n)^4
 13: x13 := bend(x12, x10, g6) : H(n)^4
 14: x14 := standardize(x13; S14; ε = 0.1) : H(n)^4    // S14 are the numbers of 2 groups
 15: t15 := x14ᵀ x12 / n : R^{4×4}
 16: t16 := softmax_keys(t15, mask K16) : R^{4×4}
 17: x17 := x14 t16 : H(n)^4
 18: t18 := 1ᵀ x17 / n : R^{1×4}
 19: g19 := 1 : G(n)^1
 20: g20 := g19 t18 : G(n)^4
 21: x21 := x17 - g20 : H(n)^4
 22: t22 := x21ᵀ x21 / n : R^{4×4}
 23: t23 := diag(t22) : R^{1×4}
 24: t24 := 1/√(t23 + 0.001) : R^{1×4}
 25: x25 := x21 diag(t24) : H(n)^4
 26: t26 := t15ᵀ : R^{4×4}
 27: t27 := t15 - 0.5 t26 : R^{4×4}
 28: t28 := C28 : R^{4×4}
 29: t29 := t27 ⊙ t28 : R^{4×4}
 30: t30 := softmax_keys(t29) : R^{4×4}
 31: x31 := x25 t30 : H(n)^4
 32: x32 := g2 + 2 x31 : H(n)^4
 33: g33 := E x32 : G(2n)^4
Output: vᵀ [x32; g33] / √(3n), v ~ N(0, 3), 4 columns
)");
}

TEST(Printer, AddsTheWidthsOfManyBlocks) {
  Builder b;
  std::vector<BundleId> blocks;
  for (int k = 0; k < 65; ++k) {
    blocks.push_back(b.input(b.input_weight({"U" + std::to_string(k), Width(1, 2), 1, 1}), matrix({{1}})));
  }
  b.output(b.readout({"v", 1}), blocks);
  const Program program = std::move(b).build();
  EXPECT_THAT(print(program), ::testing::HasSubstr("] / √(65n/2), v"));
  EXPECT_EQ(width_unit(program), 2);
}

TEST(Printer, PrintsOneOperation) {
  const Program program = everything();
  EXPECT_EQ(print_operation(program, 0), "U D1");
  EXPECT_EQ(print_operation(program, 11), "max(g6, x11)");
  EXPECT_EQ(print_operation(program, 12), "bend(x12, x10, g6)");
  EXPECT_EQ(print_operation(program, 32), "E x32");
}

TEST(Printer, SignsAndCoefficientsOfSums) {
  Builder b;
  const BundleId g = b.input(b.input_weight({"U", {}, 1}), matrix({{1}}));
  const BundleId x = b.map(Activation::named("leaky_relu_0.1"), g);
  b.add({{-1, g}, {1, x}});
  b.add({{-0.5, g}, {-3, x}});
  b.standardize(g, {0}, 1);
  b.apply(Rsqrt{}, {b.mean(x)});
  b.output(b.readout({"v"}), x);
  EXPECT_EQ(print(std::move(b).build()), R"(Input:  U : A(n, 1), iid N(0, 1/1)
 1: g1 := U D1 : G(n)^1    // D1 is 1×1
 2: x2 := leaky_relu_0.1(g1) : H(n)^1
 3: x3 := -g1 + x2 : H(n)^1
 4: x4 := -0.5 g1 - 3 x2 : H(n)^1
 5: x5 := standardize(g1; ε = 1) : H(n)^1
 6: t6 := 1ᵀ x2 / n : R^{1×1}
 7: t7 := 1/√(t6) : R^{1×1}
Output: vᵀ x2 / √n, v ~ N(0, 1), 1 column
)");
}

TEST(Printer, WidthsInVariancesAndTheReadout) {
  Builder b;
  const Width half(1, 2);
  const BundleId g = b.input(b.input_weight({"U", half, 1, 0.25}), matrix({{1, 2}}));
  const BundleId h = b.matmul(b.weight({"W", Width(3), half, 2}), g);
  b.output(b.readout({"v"}), {g, h});
  EXPECT_EQ(print(std::move(b).build()), R"(Input:  U : A(n/2, 1), iid N(0, 0.25/1)
Input:  W : A(3n, n/2), iid N(0, 2/(n/2))
 1: g1 := U D1 : G(n/2)^2    // D1 is 1×2
 2: g2 := W g1 : G(3n)^2
Output: vᵀ [g1; g2] / √(7n/2), v ~ N(0, 1), 2 columns
)");
}

}  // namespace
}  // namespace nngpcheck::netsor
