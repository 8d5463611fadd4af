#include "netsor/program.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <type_traits>

namespace nngpcheck::netsor {

namespace {

bool same(const SharedMatrix& left, const SharedMatrix& right) {
  if (left == right) return true;
  return left && right && left->rows() == right->rows() && left->cols() == right->cols() && *left == *right;
}

bool same(const SharedSparse& left, const SharedSparse& right) {
  if (left == right) return true;
  if (left->rows() != right->rows() || left->cols() != right->cols() ||
      left->nonZeros() != right->nonZeros()) {
    return false;
  }
  const auto count = left->nonZeros();
  return std::equal(left->outerIndexPtr(), left->outerIndexPtr() + left->cols() + 1,
                    right->outerIndexPtr()) &&
         std::equal(left->innerIndexPtr(), left->innerIndexPtr() + count, right->innerIndexPtr()) &&
         std::equal(left->valuePtr(), left->valuePtr() + count, right->valuePtr());
}

bool same(const TableFunction& left, const TableFunction& right) {
  if (left.index() != right.index()) return false;
  return std::visit(Overloaded{
                        [&](const SoftmaxKeys& f) { return same(f.mask, std::get<SoftmaxKeys>(right).mask); },
                        [&](const Rsqrt& f) { return f.epsilon == std::get<Rsqrt>(right).epsilon; },
                        [&](const Sum& f) { return f.coefficients == std::get<Sum>(right).coefficients; },
                        [](const auto&) { return true; },
                    },
                    left);
}

class Hash {
 public:
  template <class T>
  void add(const T& value) {
    state_ ^= std::hash<T>{}(value) + 0x9e3779b97f4a7c15U + (state_ << 6) + (state_ >> 2);
  }
  template <class Kind>
  void add(Id<Kind> id) {
    add(id.index());
  }
  void add(std::span<const double> values) {
    for (const double value : values) add(value);
  }
  std::size_t value() const { return state_; }

 private:
  std::size_t state_ = 0;
};

}  // namespace

bool same(const Operation& left, const Operation& right) {
  if (left.index() != right.index()) return false;
  return std::visit(
      [&]<class T>(const T& a) {
        const T& b = std::get<T>(right);
        if constexpr (std::is_same_v<T, Input>) {
          return a.weight == b.weight && same(a.data, b.data);
        } else if constexpr (std::is_same_v<T, BiasColumn>) {
          return a.bias == b.bias;
        } else if constexpr (std::is_same_v<T, Ones>) {
          return a.width == b.width;
        } else if constexpr (std::is_same_v<T, MatMul>) {
          return a.weight == b.weight && a.argument == b.argument;
        } else if constexpr (std::is_same_v<T, Mix>) {
          return a.argument == b.argument && same(a.matrix, b.matrix);
        } else if constexpr (std::is_same_v<T, TableMix>) {
          return a.argument == b.argument && a.table == b.table;
        } else if constexpr (std::is_same_v<T, Add>) {
          return a.terms == b.terms;
        } else if constexpr (std::is_same_v<T, Scale>) {
          return a.argument == b.argument && a.factors == b.factors;
        } else if constexpr (std::is_same_v<T, Map>) {
          return a.argument == b.argument && a.activation == b.activation;
        } else if constexpr (std::is_same_v<T, Mul> || std::is_same_v<T, Max> || std::is_same_v<T, Gram>) {
          return a.left == b.left && a.right == b.right;
        } else if constexpr (std::is_same_v<T, Standardize>) {
          return a.argument == b.argument && a.group == b.group && a.epsilon == b.epsilon;
        } else if constexpr (std::is_same_v<T, Constant>) {
          return same(a.matrix, b.matrix);
        } else if constexpr (std::is_same_v<T, Mean>) {
          return a.argument == b.argument;
        } else {
          return a.arguments == b.arguments && same(a.function, b.function);
        }
      },
      left);
}

std::size_t hash(const Operation& operation) {
  Hash result;
  result.add(operation.index());
  for (const std::size_t operand : operands(operation)) result.add(operand);
  std::visit(Overloaded{
                 [&](const Input& op) {
                   result.add(op.weight);
                   result.add(std::span(op.data->data(), static_cast<std::size_t>(op.data->size())));
                 },
                 [&](const BiasColumn& op) { result.add(op.bias); },
                 [&](const Ones& op) { result.add(op.width.ratio()); },
                 [&](const MatMul& op) { result.add(op.weight); },
                 [&](const Mix& op) {
                   const auto count = static_cast<std::size_t>(op.matrix->nonZeros());
                   for (std::size_t k = 0; k < count; ++k) result.add(op.matrix->innerIndexPtr()[k]);
                   result.add(std::span(op.matrix->valuePtr(), count));
                 },
                 [&](const Map& op) { result.add(op.activation.hash()); },
                 [&](const Constant& op) {
                   result.add(std::span(op.matrix->data(), static_cast<std::size_t>(op.matrix->size())));
                 },
                 [&](const Apply& op) { result.add(op.function.index()); },
                 [](const auto&) {},
             },
             operation);
  return result.value();
}

std::int64_t width_unit(const Program& program) {
  std::int64_t result = 1;
  const auto include = [&](const Width& width) { result = std::lcm(result, width.denominator()); };
  for (const InputWeight& weight : program.input_weights()) include(weight.width);
  for (const Bias& bias : program.biases()) include(bias.width);
  for (const Weight& weight : program.weights()) {
    include(weight.rows);
    include(weight.columns);
  }
  for (const Node& node : program.nodes()) {
    if (const auto* bundle = std::get_if<BundleType>(&node.type)) include(bundle->width);
  }
  return result;
}

std::vector<std::size_t> operands(const Operation& operation) {
  using Result = std::vector<std::size_t>;
  return std::visit(Overloaded{
                        [](const MatMul& op) { return Result{op.argument.index()}; },
                        [](const Mix& op) { return Result{op.argument.index()}; },
                        [](const TableMix& op) {
                          return Result{op.argument.index(), op.table.index()};
                        },
                        [](const Add& op) {
                          Result result;
                          for (const Add::Term& term : op.terms) result.push_back(term.bundle.index());
                          return result;
                        },
                        [](const Scale& op) {
                          return Result{op.argument.index(), op.factors.index()};
                        },
                        [](const Map& op) { return Result{op.argument.index()}; },
                        [](const Mul& op) {
                          return Result{op.left.index(), op.right.index()};
                        },
                        [](const Max& op) {
                          return Result{op.left.index(), op.right.index()};
                        },
                        [](const Standardize& op) { return Result{op.argument.index()}; },
                        [](const Gram& op) {
                          return Result{op.left.index(), op.right.index()};
                        },
                        [](const Mean& op) { return Result{op.argument.index()}; },
                        [](const Apply& op) {
                          Result result;
                          for (const TableId table : op.arguments) result.push_back(table.index());
                          return result;
                        },
                        [](const auto&) { return Result{}; },
                    },
                    operation);
}

std::string Program::name(std::size_t index) const {
  const auto* bundle = std::get_if<BundleType>(&nodes_[index].type);
  const char letter = !bundle ? 't' : bundle->gaussian ? 'g' : 'x';
  return letter + std::to_string(index + 1);
}

}  // namespace nngpcheck::netsor
