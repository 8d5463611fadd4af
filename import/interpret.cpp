#include "nngpcheck/import/interpret.hpp"

#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>

#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/analytic/rules/table_function.hpp"
#include "nngpcheck/netsor/error.hpp"

namespace nngpcheck::importer {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::Overloaded;

namespace {

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

/// z with x = m + a·erf(z). At the ends of the range it is the number beyond which erf is ±1.
Eigen::VectorXd normal_of_uniform(const Eigen::VectorXd& x, double mean, double half_range) {
  constexpr double most = 1 - std::numeric_limits<double>::epsilon() / 2;
  return x.unaryExpr(
      [&](double v) { return boost::math::erf_inv(std::clamp((v - mean) / half_range, -most, most)); });
}

}  // namespace

Values numbers_map(const netsor::Activation& activation, const Values& values) {
  Values result;
  for (std::size_t k = 0; k < result.size(); ++k) result[k] = analytic::evaluate(activation, values[k]);
  return result;
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
    const Writer::Part& part = parts[k];
    Eigen::VectorXd column = block(part.block);
    if (column.size() != rows) throw std::logic_error("a parameter of another size than its width");
    if (part.uniform) column = normal_of_uniform(column, part.mean[graph_], part.half_range[graph_]);
    result.col(static_cast<Index>(k)) = part.uniform ? column : column / part.factor[graph_];
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
            return of(op.argument).unaryExpr([&](double x) { return analytic::evaluate(op.activation, x); });
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
            std::vector<analytic::UncertainMatrix> tables;
            for (const netsor::TableId id : op.arguments)
              tables.push_back({of(id), MatrixXd::Zero(of(id).rows(), of(id).cols())});
            std::vector<const analytic::UncertainMatrix*> arguments;
            for (const analytic::UncertainMatrix& table : tables) arguments.push_back(&table);
            return analytic::apply(op.function, arguments).value;
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
