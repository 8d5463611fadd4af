#include "nngpcheck/import/interpret.hpp"

#include <cmath>

#include "nngpcheck/netsor/error.hpp"

namespace nngpcheck::importer {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::Overloaded;

namespace {

double value(netsor::Activation::Kind kind, double parameter, double x) {
  using enum netsor::Activation::Kind;
  switch (kind) {
    case identity:
      return x;
    case relu:
      return x > 0 ? x : 0;
    case leaky_relu:
      return x > 0 ? x : parameter * x;
    case abs:
      return std::abs(x);
    case step:
      return x > 0 ? 1 : 0;
    case sign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case square:
      return x * x;
    case relu_squared:
      return x > 0 ? x * x : 0;
    case power:
      return std::pow(x, parameter);
    case rectified_power:
      return x > 0 ? std::pow(x, parameter) : 0;
    case erf:
      return std::erf(x);
    case erf_sigmoid:
      return (1 + std::erf(x)) / 2;
    case sigmoid:
      return 1 / (1 + std::exp(-x));
    case tanh:
      return std::tanh(x);
    case hardtanh:
      return std::min(std::max(x, -1.0), 1.0);
    case gelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case silu:
      return x / (1 + std::exp(-x));
    case softplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    case elu:
      return x > 0 ? x : std::expm1(x);
    case sin:
      return std::sin(x);
    case cos:
      return std::cos(x);
    case exp:
      return std::exp(x);
    case gaussian:
      return std::exp(-x * x);
    case expression:
    case custom:
      break;
  }
  throw std::logic_error("a function without a name");
}

double value(const netsor::Activation& activation, double x) {
  if (activation.kind() == netsor::Activation::Kind::expression) return activation.expression()(x);
  if (activation.kind() == netsor::Activation::Kind::custom) return activation.function()(x);
  return value(activation.kind(), activation.parameter(), x);
}

MatrixXd softmax(MatrixXd scores, const netsor::SharedMatrix& mask) {
  for (Index q = 0; q < scores.cols(); ++q) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    const auto open = [&](Index k) { return !mask || (*mask)(k, q) != 0; };
    for (Index k = 0; k < scores.rows(); ++k)
      if (open(k)) largest = std::max(largest, scores(k, q));
    for (Index k = 0; k < scores.rows(); ++k) {
      scores(k, q) = open(k) ? std::exp(scores(k, q) - largest) : 0;
      sum += scores(k, q);
    }
    scores.col(q) /= sum;
  }
  return scores;
}

MatrixXd standardized(const MatrixXd& x, const std::vector<int>& group, double epsilon) {
  MatrixXd result(x.rows(), x.cols());
  std::map<int, std::vector<Index>> groups;
  for (Index j = 0; j < x.cols(); ++j) groups[group[static_cast<std::size_t>(j)]].push_back(j);
  for (const auto& [number, columns] : groups) {
    const auto part = x(Eigen::all, columns);
    const Eigen::VectorXd mean = part.rowwise().mean();
    const MatrixXd centered = part.colwise() - mean;
    const Eigen::ArrayXd variance = centered.array().square().rowwise().mean();
    result(Eigen::all, columns) = centered.array().colwise() / (variance + epsilon).sqrt();
  }
  return result;
}

}  // namespace

Values numbers_map(const netsor::Activation& activation, const Values& values) {
  return {value(activation, values[0]), value(activation, values[1]), value(activation, values[2])};
}

Evaluation::Evaluation(const netsor::Program& program, const Writer& writer)
    : program_(program), writer_(writer), graph_(writer.at().value()) {
  for (const netsor::Node& node : program.nodes()) values_.push_back(run(node.operation));
}

std::int64_t Evaluation::size(const netsor::Width& width) const {
  const auto found = writer_.sizes().find(width.text());
  return found != writer_.sizes().end() ? found->second[graph_]
                                        : width.at(writer_.archive().graphs[graph_].n);
}

double Evaluation::dot(const Dot& dot) const {
  const auto u = column(dot.left);
  return u.dot(column(dot.right)) / static_cast<double>(u.size());
}

Eigen::VectorXd Evaluation::block(const Block& block) const {
  const std::vector<double>& numbers = writer_.numbers_of(block.input, graph_);
  const auto entries = writer_.entries(block, graph_);
  Eigen::VectorXd result(static_cast<Index>(entries.size()));
  for (std::size_t k = 0; k < entries.size(); ++k)
    result[static_cast<Index>(k)] = numbers[static_cast<std::size_t>(entries[k])];
  return result;
}

/// The columns of a random object, one for each of its blocks.
MatrixXd Evaluation::object(const std::string& name, Index rows) const {
  const auto& parts = writer_.objects().at(name);
  MatrixXd result(rows, static_cast<Index>(parts.size()));
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const Eigen::VectorXd column = block(parts[k].block);
    if (column.size() != rows) throw std::logic_error("a parameter of another size than its width");
    result.col(static_cast<Index>(k)) = column / parts[k].factor[graph_];
  }
  return result;
}

MatrixXd Evaluation::run(const netsor::Operation& operation) const {
  const auto of = [&](const auto& id) -> const MatrixXd& { return values_[id.index()]; };
  const auto wide = [&](const MatrixXd& x, Index columns) -> MatrixXd {
    return x.cols() == columns ? x : MatrixXd(x.replicate(1, columns));
  };
  const auto both = [&](const auto& op, const auto& combine) -> MatrixXd {
    const Index columns = std::max(of(op.left).cols(), of(op.right).cols());
    return combine(wide(of(op.left), columns), wide(of(op.right), columns));
  };
  return std::visit(
      Overloaded{
          [&](const netsor::Input& op) -> MatrixXd {
            const netsor::InputWeight& weight = program_[op.weight];
            return object(weight.name, size(weight.width)) * *op.data;
          },
          [&](const netsor::BiasColumn& op) -> MatrixXd {
            return object(program_[op.bias].name, size(program_[op.bias].width));
          },
          [&](const netsor::Ones& op) -> MatrixXd { return MatrixXd::Ones(size(op.width), 1); },
          [&](const netsor::MatMul& op) -> MatrixXd {
            const netsor::Weight& weight = program_[op.weight];
            const auto& part = writer_.objects().at(weight.name).at(0);
            const Eigen::VectorXd numbers = block(part.block) / part.factor[graph_];
            const Index columns = of(op.argument).rows();
            if (numbers.size() != size(weight.rows) * columns)
              throw std::logic_error("a weight of another size than its widths");
            using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
            return Eigen::Map<const RowMajor>(numbers.data(), numbers.size() / columns, columns) *
                   of(op.argument);
          },
          [&](const netsor::Mix& op) -> MatrixXd { return of(op.argument) * *op.matrix; },
          [&](const netsor::TableMix& op) -> MatrixXd { return of(op.argument) * of(op.table); },
          [&](const netsor::Add& op) -> MatrixXd {
            Index columns = 0;
            for (const auto& term : op.terms) columns = std::max(columns, of(term.bundle).cols());
            MatrixXd sum = MatrixXd::Zero(of(op.terms[0].bundle).rows(), columns);
            for (const auto& term : op.terms) sum += term.coefficient * wide(of(term.bundle), columns);
            return sum;
          },
          [&](const netsor::Scale& op) -> MatrixXd {
            return of(op.argument) * of(op.factors).row(0).asDiagonal();
          },
          [&](const netsor::Map& op) -> MatrixXd {
            return of(op.argument).unaryExpr([&](double x) { return value(op.activation, x); });
          },
          [&](const netsor::Mul& op) -> MatrixXd {
            return both(op,
                        [](const MatrixXd& a, const MatrixXd& b) -> MatrixXd { return a.cwiseProduct(b); });
          },
          [&](const netsor::Max& op) -> MatrixXd {
            return both(op, [](const MatrixXd& a, const MatrixXd& b) -> MatrixXd { return a.cwiseMax(b); });
          },
          [&](const netsor::Nonlin& op) -> MatrixXd {
            Index columns = 0;
            for (const auto& id : op.arguments) columns = std::max(columns, of(id).cols());
            MatrixXd result(of(op.arguments[0]).rows(), columns);
            std::vector<double> x(op.arguments.size());
            for (Index j = 0; j < columns; ++j) {
              for (Index i = 0; i < result.rows(); ++i) {
                for (std::size_t k = 0; k < x.size(); ++k) {
                  const MatrixXd& argument = of(op.arguments[k]);
                  x[k] = argument(i, argument.cols() == 1 ? 0 : j);
                }
                result(i, j) = op.function(x);
              }
            }
            return result;
          },
          [&](const netsor::Standardize& op) -> MatrixXd {
            return standardized(of(op.argument), op.group, op.epsilon);
          },
          [&](const netsor::Constant& op) -> MatrixXd { return *op.matrix; },
          [&](const netsor::Gram& op) -> MatrixXd {
            return of(op.left).transpose() * of(op.right) / static_cast<double>(of(op.left).rows());
          },
          [&](const netsor::Mean& op) -> MatrixXd { return of(op.argument).colwise().mean(); },
          [&](const netsor::Apply& op) -> MatrixXd {
            const auto argument = [&](std::size_t k) -> const MatrixXd& { return of(op.arguments[k]); };
            return std::visit(
                Overloaded{
                    [&](const netsor::SoftmaxKeys& f) -> MatrixXd { return softmax(argument(0), f.mask); },
                    [&](const netsor::Rsqrt& f) -> MatrixXd {
                      return (argument(0).array() + f.epsilon).rsqrt();
                    },
                    [&](const netsor::Transpose&) -> MatrixXd { return argument(0).transpose(); },
                    [&](const netsor::Diagonal&) -> MatrixXd { return argument(0).diagonal().transpose(); },
                    [&](const netsor::Sum& f) -> MatrixXd {
                      MatrixXd sum = f.coefficients[0] * argument(0);
                      for (std::size_t k = 1; k < f.coefficients.size(); ++k)
                        sum += f.coefficients[k] * argument(k);
                      return sum;
                    },
                    [&](const netsor::Product&) -> MatrixXd {
                      MatrixXd product = argument(0);
                      for (std::size_t k = 1; k < op.arguments.size(); ++k)
                        product.array() *= argument(k).array();
                      return product;
                    }},
                op.function);
          }},
      operation);
}

std::vector<double> output_of(const Tensor& tensor, const Evaluation& evaluation, const Widths& widths) {
  const std::size_t g = evaluation.graph();
  std::vector<std::int64_t> shape;
  std::vector<std::vector<Range>> ranges;
  std::size_t count = 1;
  for (const Axis& axis : tensor.axes) {
    shape.push_back(widths.size(axis)[g]);
    ranges.push_back(slot_ranges(axis, widths, g));
    count *= static_cast<std::size_t>(shape.back());
  }
  const auto steps = strides(shape);
  std::vector<double> result(count);
  std::size_t cell = 0;
  for_each_position(tensor.shape(), [&](const std::vector<std::int64_t>& at) {
    std::vector<std::size_t> places = {0};
    bool vector = false;
    for (std::size_t k = 0; k < at.size(); ++k) {
      const Range& range = ranges[k][static_cast<std::size_t>(at[k])];
      std::vector<std::size_t> longer;
      for (const std::size_t p : places)
        for (std::int64_t i = 0; i < range.count; ++i)
          longer.push_back(p + static_cast<std::size_t>((range.start + i * range.stride) * steps[k]));
      places = std::move(longer);
    }
    const Cell& c = tensor.cells[cell++];
    const auto* column = std::get_if<Column>(&c.value);
    const auto* block = std::get_if<Block>(&c.value);
    Eigen::VectorXd numbers;
    if (column) numbers = c.factor[g] * evaluation.column(*column);
    if (block) numbers = c.factor[g] * evaluation.block(*block);
    vector = column || block;
    for (std::size_t i = 0; i < places.size(); ++i)
      result[places[i]] = vector ? numbers[static_cast<Index>(i)] : Writer::value(c, evaluation);
  });
  return result;
}

}  // namespace nngpcheck::importer
