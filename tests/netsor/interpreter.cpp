#include "tests/netsor/interpreter.hpp"

#include <cmath>
#include <random>
#include <stdexcept>

namespace nngpcheck::testing {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using namespace netsor;

MatrixXd normal(const std::string& name, Index rows, Index columns, double mean, double variance) {
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> entry(mean, std::sqrt(variance));
  MatrixXd result(rows, columns);
  for (double& value : result.reshaped()) value = entry(engine);
  return result;
}

double value_at(const Activation& activation, double x) {
  switch (activation.kind()) {
    case Activation::Kind::relu:
      return x > 0 ? x : 0;
    case Activation::Kind::tanh:
      return std::tanh(x);
    case Activation::Kind::erf:
      return std::erf(x);
    case Activation::Kind::square:
      return x * x;
    case Activation::Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::Kind::exp:
      return std::exp(x);
    case Activation::Kind::leaky_relu:
      return x > 0 ? x : activation.parameter() * x;
    case Activation::Kind::expression:
      return activation.expression()(x);
    case Activation::Kind::custom:
      return activation.function()(x);
    default:
      throw std::invalid_argument("the interpreter does not know " + activation.name());
  }
}

MatrixXd softmax_keys(const MatrixXd& scores, const SharedMatrix& mask) {
  MatrixXd result = scores.array().exp();
  if (mask) result = (mask->array() == 0).select(0.0, result);
  for (Index query = 0; query < result.cols(); ++query) result.col(query) /= result.col(query).sum();
  return result;
}

class Interpreter {
 public:
  Interpreter(const Program& program, const Weights& weights, std::int64_t n,
              std::vector<MatrixXd> values = {})
      : program_(program), weights_(weights), n_(n), values_(std::move(values)) {}

  MatrixXd value_of(std::size_t index) const {
    return std::visit([&](const auto& op) { return value(op); }, program_.nodes()[index].operation);
  }

  std::vector<MatrixXd> run() && {
    for (std::size_t k = 0; k < program_.nodes().size(); ++k) values_.push_back(value_of(k));
    return std::move(values_);
  }

 private:
  template <class Kind>
  const MatrixXd& at(Id<Kind> id) const {
    return values_[id.index()];
  }
  template <class Kind>
  const MatrixXd& weight(Id<Kind> id) const {
    return weights_.at(program_[id].name);
  }
  // A bundle with its one column repeated where an instruction broadcasts it.
  MatrixXd wide(BundleId id, Index columns) const {
    return at(id).cols() == columns ? at(id) : MatrixXd(at(id).replicate(1, columns));
  }
  Index columns(BundleId left, BundleId right) const { return std::max(at(left).cols(), at(right).cols()); }

  MatrixXd value(const Input& op) const { return weight(op.weight) * *op.data; }
  MatrixXd value(const BiasColumn& op) const { return weight(op.bias); }
  MatrixXd value(const Ones& op) const { return MatrixXd::Ones(op.width.at(n_), 1); }
  MatrixXd value(const MatMul& op) const { return weight(op.weight) * at(op.argument); }
  MatrixXd value(const Mix& op) const { return at(op.argument) * MatrixXd(*op.matrix); }
  MatrixXd value(const TableMix& op) const { return at(op.argument) * at(op.table); }
  MatrixXd value(const Add& op) const {
    Index widest = 1;
    for (const Add::Term& term : op.terms) widest = std::max(widest, at(term.bundle).cols());
    MatrixXd result = MatrixXd::Zero(at(op.terms.front().bundle).rows(), widest);
    for (const Add::Term& term : op.terms) result += term.coefficient * wide(term.bundle, widest);
    return result;
  }
  MatrixXd value(const Scale& op) const {
    return at(op.argument) * MatrixXd(at(op.factors).row(0).asDiagonal());
  }
  MatrixXd value(const Map& op) const {
    return at(op.argument).unaryExpr([&](double x) { return value_at(op.activation, x); });
  }
  MatrixXd value(const Mul& op) const {
    const Index m = columns(op.left, op.right);
    return wide(op.left, m).cwiseProduct(wide(op.right, m));
  }
  MatrixXd value(const Max& op) const {
    const Index m = columns(op.left, op.right);
    return wide(op.left, m).cwiseMax(wide(op.right, m));
  }
  MatrixXd value(const Nonlin& op) const {
    Index widest = 1;
    for (const BundleId argument : op.arguments) widest = std::max(widest, at(argument).cols());
    std::vector<double> point(op.arguments.size());
    return MatrixXd::NullaryExpr(at(op.arguments.front()).rows(), widest, [&](Index row, Index column) {
      for (std::size_t k = 0; k < point.size(); ++k) {
        const MatrixXd& x = at(op.arguments[k]);
        point[k] = x(row, x.cols() == 1 ? 0 : column);
      }
      return op.function(point);
    });
  }
  MatrixXd value(const Standardize& op) const {
    const MatrixXd& x = at(op.argument);
    MatrixXd result(x.rows(), x.cols());
    for (Index row = 0; row < x.rows(); ++row) {
      for (Index column = 0; column < x.cols(); ++column) {
        double size = 0, sum = 0, squares = 0;
        for (Index other = 0; other < x.cols(); ++other) {
          if (op.group[static_cast<std::size_t>(other)] != op.group[static_cast<std::size_t>(column)])
            continue;
          size += 1;
          sum += x(row, other);
          squares += x(row, other) * x(row, other);
        }
        const double mean = sum / size;
        const double variance = squares / size - mean * mean;
        result(row, column) = (x(row, column) - mean) / std::sqrt(variance + op.epsilon);
      }
    }
    return result;
  }
  MatrixXd value(const Constant& op) const { return *op.matrix; }
  MatrixXd value(const Gram& op) const {
    return at(op.left).transpose() * at(op.right) / static_cast<double>(at(op.left).rows());
  }
  MatrixXd value(const Mean& op) const { return at(op.argument).colwise().mean(); }
  MatrixXd value(const Apply& op) const {
    const MatrixXd& first = at(op.arguments.front());
    if (const auto* f = std::get_if<SoftmaxKeys>(&op.function)) return softmax_keys(first, f->mask);
    if (const auto* f = std::get_if<Rsqrt>(&op.function)) return (first.array() + f->epsilon).rsqrt();
    if (std::holds_alternative<Transpose>(op.function)) return first.transpose();
    if (std::holds_alternative<Diagonal>(op.function)) return first.diagonal().transpose();
    const auto* sum = std::get_if<Sum>(&op.function);
    MatrixXd result = sum ? MatrixXd(sum->coefficients[0] * first) : first;
    for (std::size_t k = 1; k < op.arguments.size(); ++k) {
      if (sum) {
        result += sum->coefficients[k] * at(op.arguments[k]);
      } else {
        result.array() *= at(op.arguments[k]).array();
      }
    }
    return result;
  }

  const Program& program_;
  const Weights& weights_;
  std::int64_t n_;
  std::vector<MatrixXd> values_;
};

}  // namespace

Weights draw(const Program& program, std::int64_t n) {
  Weights result;
  for (const InputWeight& w : program.input_weights()) {
    result[w.name] = normal(w.name, w.width.at(n), w.inputs, 0, w.variance / static_cast<double>(w.inputs));
  }
  for (const Weight& w : program.weights()) {
    const std::int64_t columns = w.columns.at(n);
    result[w.name] = normal(w.name, w.rows.at(n), columns, 0, w.variance / static_cast<double>(columns));
  }
  for (const Bias& b : program.biases())
    result[b.name] = normal(b.name, b.width.at(n), 1, b.mean, b.variance);
  return result;
}

std::vector<MatrixXd> evaluate(const Program& program, const Weights& weights, std::int64_t n) {
  return Interpreter(program, weights, n).run();
}

MatrixXd evaluate(const Program& program, const Weights& weights, std::int64_t n, std::size_t index,
                  std::vector<MatrixXd> values) {
  return Interpreter(program, weights, n, std::move(values)).value_of(index);
}

MatrixXd outputs(const Program& program, const Weights& weights, std::int64_t n) {
  const std::vector<MatrixXd> values = evaluate(program, weights, n);
  MatrixXd result(0, program.outputs());
  for (const BundleId block : program.output().blocks) {
    const MatrixXd& value = values[block.index()];
    result.conservativeResize(result.rows() + value.rows(), Eigen::NoChange);
    result.bottomRows(value.rows()) = value;
  }
  return result;
}

}  // namespace nngpcheck::testing
