#include "tests/netsor/everything.hpp"

#include <cmath>

namespace nngpcheck::testing {

using namespace netsor;

Eigen::MatrixXd matrix(std::initializer_list<std::initializer_list<double>> rows) {
  return Eigen::MatrixXd(rows);
}

SparseMatrix sparse(std::initializer_list<std::initializer_list<double>> rows) {
  return matrix(rows).sparseView();
}

const Function& bend() {
  static const Function result("bend", Expression::parse("x*tanh(y) + z/(1 + x^2)", {"x", "y", "z"}));
  return result;
}

Program everything() {
  Builder b;
  const InputWeightId u = b.input_weight({"U", {}, 3, 2});
  const WeightId w = b.weight({"W", {}, {}, 1.5});
  const WeightId e = b.weight({"E", Width(2), {}});
  const BiasId bias = b.bias({"b", {}, 0.5, 0.25});

  const Eigen::MatrixXd data = matrix({{1, 0, 2, -1, 3, 1}, {0, 1, 1, 2, -2, 1}, {1, 1, 0, 0, 1, -1}});
  const BundleId input = b.input(u, data);
  const BundleId shift = b.column(bias);
  const BundleId x = b.map(Activation::named("tanh"), b.add(input, shift));
  const BundleId pooled = b.mix(
      b.matmul(w, x),
      sparse({{0.5, 0, 0, 0}, {0.5, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 2}, {0, 0, 0.25, 0}, {0, 0, 1, -1}}));
  const BundleId kept = b.select(x, {0, 2, 3, 5});
  const BundleId gate = b.mul(kept, b.map(Activation::named("erf"), pooled));
  const BundleId column = b.select(x, {4});
  const BundleId top = b.max(b.mul(gate, column), pooled);
  const BundleId norm = b.standardize(b.nonlin(bend(), {top, column, pooled}), {0, 1, 0, 1}, 0.1);

  const TableId scores = b.gram(norm, top);
  const auto mask = std::make_shared<const Eigen::MatrixXd>(
      matrix({{1, 0, 1, 1}, {1, 1, 0, 0}, {1, 1, 1, 0}, {0, 1, 1, 1}}));
  const BundleId attended = b.mix(norm, b.apply(SoftmaxKeys{mask}, {scores}));
  const TableId mean = b.mean(attended);
  const BundleId centred = b.add({{1, attended}, {-1, b.mix(b.ones(), mean)}});
  const TableId variance = b.apply(Diagonal{}, {b.gram(centred, centred)});
  const BundleId normed = b.scale(centred, b.apply(Rsqrt{0.001}, {variance}));

  const TableId transposed = b.apply(Transpose{}, {scores});
  const TableId both = b.apply(Sum{{1, -0.5}}, {scores, transposed});
  const TableId weighted = b.apply(Product{}, {both, b.constant(*mask)});
  const BundleId last = b.add({{1, shift}, {2, b.mix(normed, b.apply(SoftmaxKeys{}, {weighted}))}});
  b.output(b.readout({"v", 3}), {last, b.matmul(e, last)}, {"a", "b", "c", "d"});
  return std::move(b).build();
}

}  // namespace nngpcheck::testing
