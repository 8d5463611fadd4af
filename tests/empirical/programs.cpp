#include "tests/empirical/programs.hpp"

#include <cmath>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "tests/netsor/everything.hpp"

namespace nngpcheck::testing {

using architectures::SequenceOutputs;
using netsor::Activation;
using netsor::Builder;
using netsor::BundleId;
using netsor::TableId;

Eigen::MatrixXd some_data(Eigen::Index rows, Eigen::Index columns) {
  Eigen::MatrixXd result(rows, columns);
  for (Eigen::Index j = 0; j < columns; ++j) {
    for (Eigen::Index i = 0; i < rows; ++i) {
      result(i, j) = std::sin(1.7 * static_cast<double>(i) + 2.9 * static_cast<double>(j * (i + 1)) + 0.3);
    }
  }
  return result;
}

inputs::Inputs vectors(Eigen::Index dimension, Eigen::Index count) {
  inputs::Inputs result;
  result.data = some_data(dimension, count);
  for (Eigen::Index j = 0; j < count; ++j) result.labels.push_back(std::to_string(j));
  return result;
}

inputs::Inputs sequences(Eigen::Index dimension, std::vector<Eigen::Index> lengths) {
  Eigen::Index count = 0;
  for (const Eigen::Index length : lengths) count += length;
  inputs::Inputs result = vectors(dimension, count);
  result.lengths = std::move(lengths);
  return result;
}

namespace {

// A builder with what every program starts from: two bundles of four columns at width n.
struct Start {
  Builder builder;
  BundleId g, x;

  Start()
      : g(builder.input(builder.input_weight({"U", {}, 3, 1.5}), some_data(3, 4))),
        x(builder.map(Activation::named("tanh"), g)) {}

  BundleId relu_of_product(BundleId argument, const std::string& name) {
    return builder.map(Activation::named("relu"),
                       builder.matmul(builder.weight({name, {}, {}, 2.0}), argument));
  }

  netsor::Program finish(std::vector<BundleId> blocks) && {
    builder.output(builder.readout({"v", 0.7}), std::move(blocks));
    return std::move(builder).build();
  }
};

netsor::SparseMatrix sparse(const Eigen::MatrixXd& dense) { return dense.sparseView(); }

// Layer norm: (x - mean) / √(variance + ε).
BundleId layer_norm(Builder& b, BundleId x) {
  const BundleId centred = b.add({{1, x}, {-1, b.mix(b.ones(), b.mean(x))}});
  const TableId variance = b.apply(netsor::Diagonal{}, {b.gram(centred, centred)});
  return b.scale(centred, b.apply(netsor::Rsqrt{1e-3}, {variance}));
}

// W₁ X S₁ + W₂ X S₂ + …, with weights of these names and shifts by 0, 1, … columns.
BundleId sum_of_shifts(Builder& b, BundleId x, const std::vector<std::string>& names) {
  const netsor::Index columns = b.type(x).columns;
  std::vector<netsor::Add::Term> terms;
  for (std::size_t k = 0; k < names.size(); ++k) {
    Eigen::MatrixXd shift = Eigen::MatrixXd::Zero(columns, columns);
    for (netsor::Index j = static_cast<netsor::Index>(k); j < columns; ++j)
      shift(j - static_cast<netsor::Index>(k), j) = 1;
    terms.push_back({1, b.mix(b.matmul(b.weight({names[k], {}, {}, 1.0}), x), sparse(shift))});
  }
  return b.add(std::move(terms));
}

// Sums that are drawn at once, or seem so.
void add_sums(std::vector<NamedProgram>& result) {
  const auto add = [&](const std::string& name, const auto& sum) {
    Start s;
    const BundleId block = s.builder.map(Activation::named("tanh"), sum(s.builder, s.x, s.g));
    result.push_back({name, std::move(s).finish({block})});
  };
  add("sum of shifts", [](Builder& b, BundleId x, BundleId) { return sum_of_shifts(b, x, {"A", "B", "C"}); });
  add("sum with others", [](Builder& b, BundleId x, BundleId g) {
    return b.add({{2, sum_of_shifts(b, x, {"A", "B"})},
                  {-0.5, b.matmul(b.weight({"C", {}, {}, 1.0}), x)},
                  {1, b.column(b.bias({"b", {}, 0.4, 0.3}))},
                  {0.5, g},
                  {1, b.select(g, {3, 2, 1, 0})}});
  });
  add("sum of few columns", [](Builder& b, BundleId x, BundleId) {
    return b.select(sum_of_shifts(b, x, {"A", "B"}), {3, 1});
  });
  add("sum of mixed arguments", [](Builder& b, BundleId x, BundleId) {
    return b.add(b.matmul(b.weight({"A", {}, {}, 1.0}), b.select(x, {0, 0, 1, 2, 2})),
                 b.matmul(b.weight({"B", {}, {}, 1.0}), b.select(x, {3, 3, 3, 1, 1})));
  });
  add("sum through tables", [](Builder& b, BundleId x, BundleId g) {
    return b.add(b.scale(b.matmul(b.weight({"A", {}, {}, 1.0}), x), b.mean(x)),
                 b.mix(b.matmul(b.weight({"B", {}, {}, 1.0}), x), b.gram(x, g)));
  });
  add("sum of copies", [](Builder& b, BundleId x, BundleId) {
    return sum_of_shifts(b, b.map(Activation::named("relu"), b.select(x, {1, 1, 2, 1})), {"A", "B"});
  });
  add("sum of collinear columns", [](Builder& b, BundleId, BundleId g) {
    Eigen::MatrixXd twice(4, 4);
    twice << 1, 2, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0;
    return sum_of_shifts(b, b.map(Activation::named("relu"), b.mix(g, sparse(twice))), {"A", "B"});
  });
  add("sum of inputs", [](Builder& b, BundleId, BundleId) {
    const BundleId one = b.input(b.input_weight({"U1", {}, 2, 1.5}), some_data(2, 5));
    const BundleId two = b.input(b.input_weight({"U2", {}, 3, 0.5}), some_data(3, 4));
    return b.add({{1, b.select(one, {4, 0, 1, 1})}, {-2, two}, {1, b.column(b.bias({"b", {}, 0.4}))}});
  });
  add("product that is read twice", [](Builder& b, BundleId x, BundleId) {
    const BundleId product = b.matmul(b.weight({"A", {}, {}, 1.0}), x);
    return b.add(b.select(product, {1, 0, 3, 2}), b.mul(product, product));
  });
}

netsor::Program attention() {
  Start s;
  Builder& b = s.builder;
  const auto project = [&](const char* name) {
    return b.matmul(b.weight({name, netsor::Width(1, 2), {}, 1.0}), s.x);
  };
  Eigen::MatrixXd causal = Eigen::MatrixXd::Ones(4, 4).triangularView<Eigen::Upper>();
  const TableId scores = b.gram(project("K"), project("Q"));
  const TableId weights =
      b.apply(netsor::SoftmaxKeys{std::make_shared<const Eigen::MatrixXd>(std::move(causal))}, {scores});
  const BundleId heads = b.mix(project("V"), weights);
  const BundleId joined = b.matmul(b.weight({"O", {}, netsor::Width(1, 2), 1.0}), heads);
  const BundleId normed = layer_norm(b, b.add(s.x, joined));
  return std::move(s).finish({normed});
}

}  // namespace

std::vector<NamedProgram> instruction_programs() {
  std::vector<NamedProgram> result;
  const auto add = [&](const std::string& name, const auto& blocks) {
    Start s;
    std::vector<BundleId> output = blocks(s);
    result.push_back({name, std::move(s).finish(std::move(output))});
  };
  using Blocks = std::vector<BundleId>;
  add("input", [](Start& s) { return Blocks{s.g}; });
  add("matmul", [](Start& s) { return Blocks{s.relu_of_product(s.x, "W")}; });
  add("bias", [](Start& s) {
    return Blocks{s.builder.add({{2, s.g}, {-0.5, s.builder.column(s.builder.bias({"b", {}, 0.4, 0.3}))}})};
  });
  add("ones", [](Start& s) { return Blocks{s.builder.add(s.builder.ones(), s.x)}; });
  add("mix", [](Start& s) {
    Eigen::MatrixXd m = Eigen::MatrixXd::Zero(4, 3);
    m << 1, 0, 0.5, 0, 0, -2, 1, 0, 0.25, 0, 0, 1;
    return Blocks{s.builder.mix(s.x, sparse(m))};
  });
  add("select", [](Start& s) { return Blocks{s.builder.select(s.x, {3, 1, 1, 0, 2})}; });
  add("mul", [](Start& s) { return Blocks{s.builder.mul(s.g, s.x)}; });
  add("mul broadcast", [](Start& s) { return Blocks{s.builder.mul(s.builder.select(s.g, {1}), s.x)}; });
  add("max", [](Start& s) { return Blocks{s.builder.max(s.relu_of_product(s.x, "W"), s.x)}; });
  add("max broadcast", [](Start& s) { return Blocks{s.builder.max(s.builder.select(s.g, {1}), s.x)}; });
  add("nonlin", [](Start& s) {
    return Blocks{s.builder.nonlin(bend(), {s.relu_of_product(s.x, "W"), s.builder.select(s.g, {1}), s.x})};
  });
  add("standardize", [](Start& s) { return Blocks{s.builder.standardize(s.g, {0, 1, 0, 1}, 0.01)}; });
  add("constant", [](Start& s) { return Blocks{s.builder.mix(s.x, s.builder.constant(some_data(4, 2)))}; });
  add("gram", [](Start& s) { return Blocks{s.builder.mix(s.x, s.builder.gram(s.x, s.g))}; });
  add("mean and scale", [](Start& s) { return Blocks{s.builder.scale(s.g, s.builder.mean(s.x))}; });
  add("softmax", [](Start& s) {
    return Blocks{s.builder.mix(s.x, s.builder.apply(netsor::SoftmaxKeys{}, {s.builder.gram(s.x, s.g)}))};
  });
  add("transpose, sum, product", [](Start& s) {
    const TableId t = s.builder.gram(s.x, s.g);
    const TableId transposed = s.builder.apply(netsor::Transpose{}, {t});
    const TableId sum = s.builder.apply(netsor::Sum{{2, -1}}, {t, transposed});
    return Blocks{s.builder.mix(s.x, s.builder.apply(netsor::Product{}, {sum, t, t}))};
  });
  add("layer norm", [](Start& s) { return Blocks{layer_norm(s.builder, s.g)}; });
  add("tied weight", [](Start& s) {
    const auto w = s.builder.weight({"W", {}, {}, 1.2});
    const BundleId h = s.builder.map(Activation::named("erf"), s.builder.matmul(w, s.x));
    return Blocks{s.builder.map(Activation::named("erf"), s.builder.matmul(w, h))};
  });
  add("widths and blocks", [](Start& s) {
    const auto up = s.builder.weight({"up", netsor::Width(4), {}, 1.0});
    const auto down = s.builder.weight({"down", netsor::Width(3, 2), netsor::Width(4), 1.0});
    const BundleId wide = s.builder.map(Activation::named("relu"), s.builder.matmul(up, s.x));
    return Blocks{s.builder.matmul(down, wide), s.x};
  });
  add("unused instructions", [](Start& s) {
    s.relu_of_product(s.x, "unused");
    return Blocks{s.relu_of_product(s.x, "used")};
  });
  add_sums(result);
  result.push_back({"attention", attention()});
  architectures::MlpOptions mlp{4, Activation::named("tanh"), 1.5, 1.2, 0.3, 2.0};
  result.push_back({"mlp", architectures::mlp(mlp, vectors(5, 6))});
  result.push_back({"mlp on many inputs", architectures::mlp(mlp, vectors(5, 37))});
  architectures::SimpleRnnOptions rnn{{Activation::named("erf"), 1.1, 0.9, 0.2}};
  result.push_back({"rnn", architectures::simple_rnn(rnn, sequences(5, {3, 5, 1}))});
  rnn.outputs = SequenceOutputs::average;
  result.push_back({"averaging rnn", architectures::simple_rnn(rnn, sequences(5, {3, 5, 1}))});
  return result;
}

}  // namespace nngpcheck::testing
