#include "analytic/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "analytic/batch_norm.hpp"
#include "analytic/dual.hpp"
#include "analytic/equal_columns.hpp"
#include "analytic/error.hpp"
#include "analytic/factorization.hpp"
#include "analytic/patterns.hpp"
#include "analytic/seed.hpp"
#include "analytic/table_function.hpp"
#include "netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using netsor::Overloaded;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
const LinearForm::Term no_coefficients{one, {}};

UncertainMatrix zero(Index rows, Index columns) {
  return {Eigen::MatrixXd::Zero(rows, columns), Eigen::MatrixXd::Zero(rows, columns)};
}

UncertainMatrix exact(Eigen::MatrixXd value) {
  Eigen::MatrixXd bound = Eigen::MatrixXd::Zero(value.rows(), value.cols());
  return {std::move(value), std::move(bound)};
}

UncertainMatrix transpose(const UncertainMatrix& x) { return {x.value.transpose(), x.bound.transpose()}; }

UncertainMatrix part(const UncertainMatrix& x, const std::vector<Index>& rows,
                     const std::vector<Index>& columns) {
  return {x.value(rows, columns), x.bound(rows, columns)};
}

UncertainVector as_vector(const UncertainMatrix& x) { return {x.value.col(0), x.bound.col(0)}; }

UncertainMatrix as_matrix(const UncertainVector& x) { return {x.value, x.bound}; }

// x times y, entrywise; a single row or column of y is broadcast.
void multiply(UncertainMatrix& x, const UncertainMatrix& y) {
  const Index rows = x.value.rows() / y.value.rows();
  const Index columns = x.value.cols() / y.value.cols();
  const Eigen::ArrayXXd value = y.value.replicate(rows, columns).array();
  const Eigen::ArrayXXd bound = y.bound.replicate(rows, columns).array();
  const Eigen::ArrayXXd size = value.abs();
  x.bound =
      (x.bound.array() * (size + bound) + x.value.array().abs() * (bound + epsilon * size)).matrix().eval();
  x.value.array() *= value;
}

// E[φ(u_i)²] as m×1.
UncertainMatrix second_moments(const netsor::Activation& phi, const Marginals& u,
                               const Checkpoint& checkpoint) {
  UncertainMatrix result = zero(u.mean.value.size(), 1);
  for (Index i = 0; i < result.value.rows(); ++i) {
    const Marginals single{{u.mean.value.segment(i, 1), u.mean.bound.segment(i, 1)},
                           {u.variance.value.segment(i, 1), u.variance.bound.segment(i, 1)}};
    const UncertainMatrix variance{single.variance.value, single.variance.bound};
    const DualBlock block = dual_block(phi, phi, single, single, variance, Symmetry::symmetric, checkpoint);
    result.value(i, 0) = block.moment.value(0, 0);
    result.bound(i, 0) = block.moment.bound(0, 0);
  }
  return result;
}

void symmetrize(UncertainMatrix& x) {
  x.value = (0.5 * (x.value + x.value.transpose())).eval();
  x.bound = (0.5 * (x.bound + x.bound.transpose())).eval();
}

}  // namespace

Evaluation::Evaluation(const Structure& structure, const Plan& plan, const std::vector<Demand>& goals,
                       const Progress& progress)
    : structure_(structure),
      plan_(plan),
      progress_(progress),
      forms_(structure,
             [this](NodeIndex table) -> const UncertainMatrix& { return (*this)[Demand::table(table)]; }) {
  for (const Demand& goal : goals) ++uses_[goal];
  for (const Step& step : plan.steps) {
    for (const Demand& demand : step.dependencies) ++uses_[demand];
  }
}

Evaluation::Evaluation(const Evaluation& base, const Axes& axes, int log2_points, std::uint64_t seed)
    : structure_(base.structure_),
      plan_(base.plan_),
      progress_(base.progress_),
      base_(&base),
      axes_(&axes),
      forms_(base.structure_,
             [this](NodeIndex table) -> const UncertainMatrix& { return (*this)[Demand::table(table)]; }),
      log2_points_(log2_points),
      seed_(seed) {}

void Evaluation::run() {
  for (const Step& step : plan_.steps) {
    if (step.replicated != (base_ != nullptr) || step.method == Method::conditional) continue;
    progress_.check();
    if (!base_) {
      progress_.report({}, [&] {
        return "limit, step " + std::to_string(&step - plan_.steps.data() + 1) + " of " +
               std::to_string(plan_.steps.size());
      });
    }
    try {
      take(step);
    } catch (const LimitError& error) {
      throw LimitError(place_of(step, error) + ": " + error.what());
    }
  }
  for (auto& [system, paths] : paths_) paths.release();  // only their averages are read from here on
}

void Evaluation::take(const Step& step) {
  cost_ = {};
  if (step.method == Method::sample) {
    paths(step.system).sample(step.demand.left);
    return;
  }
  UncertainMatrix value = compute(step);
  require_finite(value);
  cost_.bound = value.bound.maxCoeff();
  values_.emplace(step.demand, std::move(value));
  costs_.emplace(step.demand, cost_);
  if (!base_) release(step);
}

// A deterministic step's arguments are dropped after their last use.
void Evaluation::release(const Step& step) {
  for (const Demand& demand : step.dependencies) {
    if (--uses_[demand] == 0) values_.erase(demand);
  }
}

const UncertainMatrix& Evaluation::operator[](const Demand& demand) const {
  if (const auto found = values_.find(demand); found != values_.end()) return found->second;
  if (!base_) throw std::logic_error("a step reads what the plan does not list among its dependencies");
  return (*base_)[demand];
}

const Cost& Evaluation::cost(const Demand& demand) const {
  if (const auto found = costs_.find(demand); found != costs_.end()) return found->second;
  return base_->cost(demand);
}

UncertainMatrix Evaluation::moment(NodeIndex x, NodeIndex y) const {
  const UncertainMatrix& stored = (*this)[Demand::moment(x, y)];
  return x <= y ? stored : transpose(stored);
}

UncertainMatrix Evaluation::moment(NodeIndex x, const std::vector<Index>& rows, NodeIndex y,
                                   const std::vector<Index>& columns) const {
  const UncertainMatrix& stored = (*this)[Demand::moment(x, y)];
  return x <= y ? part(stored, rows, columns) : transpose(part(stored, columns, rows));
}

UncertainMatrix Evaluation::covariance(NodeIndex x, NodeIndex y) const {
  const UncertainMatrix& stored = (*this)[Demand::covariance(x, y)];
  return x <= y ? stored : transpose(stored);
}

double Evaluation::moment_entry(NodeIndex x, Index i, NodeIndex y, Index j) const {
  if (y == one) return (*this)[Demand::mean(x)].value(i, 0);
  const Eigen::MatrixXd& stored = (*this)[Demand::moment(x, y)].value;
  return x <= y ? stored(i, j) : stored(j, i);
}

double Evaluation::covariance_entry(const Column& u, const Column& v) const {
  const Eigen::MatrixXd& stored = (*this)[Demand::covariance(u.first, v.first)].value;
  return u.first <= v.first ? stored(u.second, v.second) : stored(v.second, u.second);
}

// The diagonal as m×1, from whichever of full matrix and diagonal was planned.
UncertainMatrix Evaluation::diagonal(const Demand& demand) const {
  const Demand source = plan_.diagonal_source(demand);
  const UncertainMatrix& stored = (*this)[source];
  if (source.diagonal) return stored;
  return {stored.value.diagonal(), stored.bound.diagonal()};
}

UncertainMatrix Evaluation::compute(const Step& step) {
  const Demand& demand = step.demand;
  switch (step.method) {
    case Method::zero:
      return zero(structure_.columns(demand.left),
                  demand.right == one ? 1 : structure_.columns(demand.right));
    case Method::linear:
      return linear(demand);
    case Method::gaussian:
      return gaussian(demand);
    case Method::product:
      return product(demand);
    case Method::dual:
      return dual(demand);
    case Method::batch_norm:
      return batch_norm(demand);
    case Method::table:
      return table(demand.left);
    case Method::sample:
    case Method::conditional:
    case Method::paths:
      break;
  }
  return average(step);
}

Paths& Evaluation::paths(int system) {
  const auto found = paths_.find(system);
  if (found != paths_.end()) return found->second;
  const std::uint64_t seed = seed_of_part(seed_, static_cast<std::uint64_t>(system));
  const auto axes = axes_->find(system);
  const PrincipalAxes* known = axes == axes_->end() ? nullptr : &axes->second;
  return paths_.try_emplace(system, *this, system, known, log2_points_, seed).first->second;
}

Evaluation::Axes Evaluation::principal_axes() const {
  Axes result;
  for (const auto& [system, paths] : paths_) result.emplace(system, paths.principal_axes());
  return result;
}

UncertainMatrix Evaluation::average(const Step& step) {
  const auto [kind, x, y, only_diagonal, system] = step.demand;
  Paths& points = paths(step.system);
  cost_.evaluations = structure_.columns(x) * (y == one ? 1 : structure_.columns(y)) * points.points();
  Averages averages = step.local ? points.average_locally(x, y) : points.average(x, y);
  // An estimate: bounds of arguments, and rounding, enter with condition number 1 relative to the mean of
  // |xy|.
  double relative = 32 * epsilon;
  for (const Demand& argument : step.dependencies) {
    if (argument.kind == Demand::Kind::sample || argument.kind == Demand::Kind::conditional) continue;
    const UncertainMatrix& value = (*this)[argument];
    const double size = value.value.cwiseAbs().maxCoeff();
    if (size > 0) relative = std::max(relative, value.bound.maxCoeff() / size);
  }
  return {std::move(averages.value), relative * averages.magnitude};
}

// ---- Linear steps ----

UncertainMatrix Evaluation::linear(const Demand& demand) {
  const NodeIndex x = demand.left;
  if (demand.kind == Demand::Kind::covariance) {
    return demand.diagonal ? covariance_diagonal(x) : linear_covariance(demand);
  }
  if (demand.kind == Demand::Kind::mean) {
    if (structure_.gaussian(x)) return mean_of_sources(x);
    UncertainMatrix sum = zero(structure_.columns(x), 1);
    for (const auto& term : form(x).terms) {
      const UncertainMatrix& mean = (*this)[Demand::mean(term.atom)];
      add_congruence(sum, term, part(mean, columns_read(term, mean.value.rows()), {0}), no_coefficients);
    }
    return sum;
  }
  const NodeIndex y = demand.right;
  UncertainMatrix sum = zero(structure_.columns(x), structure_.columns(y));
  for (const auto& a : form(x).terms) {
    for (const auto& b : form(y).terms) {
      if (plan_.step(Demand::moment(a.atom, b.atom)).method == Method::zero) continue;
      add_congruence(sum, a, moment(a.atom, columns_of(a), b.atom, columns_of(b)), b);
    }
  }
  if (x == y) symmetrize(sum);
  return sum;
}

UncertainMatrix Evaluation::mean_of_sources(NodeIndex x) {
  UncertainMatrix sum = zero(structure_.columns(x), 1);
  for (const auto& term : form(x).terms) {
    const double mean = structure_.mean_of_source(term.atom);
    if (mean == 0) continue;
    const auto rows = static_cast<Index>(columns_of(term).size());
    add_congruence(sum, term, exact(Eigen::MatrixXd::Constant(rows, 1, mean)), no_coefficients);
  }
  return sum;
}

UncertainMatrix Evaluation::linear_covariance(const Demand& demand) {
  const auto [kind, x, y, only_diagonal, system] = demand;
  UncertainMatrix sum = zero(structure_.columns(x), structure_.columns(y));
  for (const auto& a : form(x).terms) {
    for (const auto& b : form(y).terms) {
      if (structure_.same_object(a.atom, b.atom)) {
        add_congruence(sum, a, source_covariance(a.atom, columns_of(a), b.atom, columns_of(b)), b);
      }
    }
  }
  if (x == y) symmetrize(sum);
  return sum;
}

// The columns that a term reads of its atom.
std::vector<Index> Evaluation::columns_of(const LinearForm::Term& term) const {
  return columns_read(term, structure_.columns(term.atom));
}

// cov of two uses of one random object, before any mixing, at these columns of either.
UncertainMatrix Evaluation::source_covariance(NodeIndex a, const std::vector<Index>& rows, NodeIndex b,
                                              const std::vector<Index>& columns) const {
  const netsor::Program& program = structure_.program();
  const auto& right = program.nodes()[b].operation;
  return netsor::visit<netsor::Form::source>(
      Overloaded{
          [&](const netsor::Input& op) {
            const netsor::InputWeight& weight = program[op.weight];
            const Eigen::MatrixXd x = (*op.data)(Eigen::all, rows);
            const Eigen::MatrixXd y = (*std::get<netsor::Input>(right).data)(Eigen::all, columns);
            const double scale = weight.variance / static_cast<double>(weight.inputs);
            const Eigen::MatrixXd size = x.cwiseAbs().transpose() * y.cwiseAbs();
            return UncertainMatrix{scale * (x.transpose() * y),
                                   epsilon * static_cast<double>(weight.inputs + 2) * scale * size};
          },
          [&](const netsor::BiasColumn& op) {
            return exact(
                Eigen::MatrixXd::Constant(std::ssize(rows), std::ssize(columns), program[op.bias].variance));
          },
          [&](const netsor::MatMul& op) {
            UncertainMatrix result =
                moment(op.argument.index(), rows, std::get<netsor::MatMul>(right).argument.index(), columns);
            const double variance = program[op.weight].variance;
            result.value *= variance;
            result.bound = variance * result.bound + epsilon * result.value.cwiseAbs();
            return result;
          },
          [&](const netsor::Ones&) { return zero(std::ssize(rows), std::ssize(columns)); },
      },
      program.nodes()[a].operation);
}

UncertainMatrix Evaluation::covariance_diagonal(NodeIndex x) {
  const Index columns = structure_.columns(x);
  const netsor::Program& program = structure_.program();
  UncertainMatrix sum = zero(columns, 1);
  for (const auto& a : form(x).terms) {
    for (const auto& b : form(x).terms) {
      if (!structure_.same_object(a.atom, b.atom)) continue;
      const auto* matmul = std::get_if<netsor::MatMul>(&program.nodes()[a.atom].operation);
      const auto* input = std::get_if<netsor::Input>(&program.nodes()[a.atom].operation);
      UncertainMatrix source;  // m×1 where only the diagonal is at hand
      if (matmul && a.atom == b.atom && structure_.selects(x)) {
        source = diagonal(Demand::second_moment(matmul->argument.index()));
        source.value *= program[matmul->weight].variance;
        source.bound = program[matmul->weight].variance * source.bound + epsilon * source.value.cwiseAbs();
      } else if (input && a.atom == b.atom && structure_.selects(x)) {
        const netsor::InputWeight& weight = program[input->weight];
        source.value = weight.variance / static_cast<double>(weight.inputs) *
                       input->data->colwise().squaredNorm().transpose();
        source.bound = epsilon * static_cast<double>(weight.inputs + 2) * source.value;
      } else {
        source = source_covariance(a.atom, columns_of({a.atom, {}}), b.atom, columns_of({b.atom, {}}));
      }
      const bool narrow = source.value.cols() == 1 && source.value.rows() > 1;
      for (Index j = 0; j < columns; ++j) {
        for (const auto& [row, left] : column_entries(a, j)) {
          for (const auto& [other, right] : column_entries(b, j)) {
            const double product = left * right;
            const Index k = narrow ? 0 : other;
            sum.value(j, 0) += product * source.value(row, k);
            sum.bound(j, 0) +=
                std::abs(product) * (source.bound(row, k) + 4 * epsilon * std::abs(source.value(row, k)));
          }
        }
      }
    }
  }
  return sum;
}

// ---- Other rules ----

UncertainMatrix Evaluation::gaussian(const Demand& demand) const {
  UncertainMatrix left = (*this)[Demand::mean(demand.left)];
  UncertainMatrix result = demand.diagonal
                               ? diagonal(Demand::variance(demand.left))
                               : UncertainMatrix((*this)[Demand::covariance(demand.left, demand.right)]);
  UncertainMatrix right = (*this)[Demand::mean(demand.right)];
  if (left.value.isZero(0) && right.value.isZero(0)) return result;
  if (!demand.diagonal) {
    left = {left.value.replicate(1, right.value.rows()), left.bound.replicate(1, right.value.rows())};
    right = transpose(right);
  }
  multiply(left, right);
  result.value += left.value;
  result.bound += left.bound + epsilon * result.value.cwiseAbs();
  return result;
}

UncertainMatrix Evaluation::product(const Demand& demand) const {
  const auto [kind, x, y, only_diagonal, system] = demand;
  const Index columns = y == one ? 1 : structure_.columns(y);
  UncertainMatrix result = exact(Eigen::MatrixXd::Ones(structure_.columns(x), columns));
  const auto side = [&](const std::vector<NodeIndex>& factors) {
    if (factors.size() == 1) return UncertainMatrix((*this)[Demand::mean(factors.front())]);
    const UncertainMatrix pair = moment(factors.front(), factors.back());
    UncertainMatrix diagonal{pair.value.diagonal(), pair.bound.diagonal()};
    if (pair.value.rows() == 1) diagonal = transpose(pair);
    if (pair.value.cols() == 1) diagonal = pair;
    return diagonal;
  };
  for (const auto& [left, right] : factorize(structure_, x, y, {}).groups) {
    if (left.size() == 1 && right.size() == 1) {
      multiply(result, moment(left.front(), right.front()));
    } else if (right.empty()) {
      multiply(result, side(left));
    } else {
      multiply(result, transpose(side(right)));
    }
  }
  if (x == y) symmetrize(result);
  return result;
}

UncertainMatrix Evaluation::dual(const Demand& demand) {
  const auto operand = [&](NodeIndex node) -> std::pair<netsor::Activation, NodeIndex> {
    const DualPattern pattern = *dual_pattern(structure_, node);
    return {pattern.activation ? *pattern.activation : netsor::Activation::named("identity"),
            pattern.argument};
  };
  const auto marginals = [&](NodeIndex node) {
    return Marginals{as_vector((*this)[Demand::mean(node)]), as_vector(diagonal(Demand::variance(node)))};
  };
  const Checkpoint checkpoint = [this] { progress_.check(); };
  const auto [phi, u] = operand(demand.left);
  cost_.evaluations = structure_.columns(u);
  if (demand.right == one) return as_matrix(mean_block(phi, marginals(u), checkpoint));
  if (demand.diagonal) return second_moments(phi, marginals(u), checkpoint);
  const auto [psi, v] = operand(demand.right);
  const Symmetry symmetry = demand.left == demand.right ? Symmetry::symmetric : Symmetry::none;
  DualBlock block = dual_block(phi, psi, marginals(u), marginals(v), covariance(u, v), symmetry, checkpoint);
  cost_.evaluations = block.evaluations;
  cost_.by_formula = block.method == DualMethod::closed_form;
  return std::move(block.moment);
}

UncertainMatrix Evaluation::batch_norm(const Demand& demand) {
  const BatchNormPattern x = *batch_norm_pattern(structure_, demand.left);
  const BatchNormPattern y = *batch_norm_pattern(structure_, demand.right);
  EqualColumns equal(structure_);
  const auto group = [&](const BatchNormPattern& pattern, const UncertainMatrix& full, const auto& columns) {
    return BatchNormGroup{part(full, columns, columns), pattern.standardize->epsilon,
                          equal.among(pattern.argument, columns)};
  };
  const UncertainMatrix first = covariance(x.argument, x.argument);
  const UncertainMatrix second = covariance(y.argument, y.argument);
  const UncertainMatrix cross = covariance(x.argument, y.argument);
  UncertainMatrix result = zero(structure_.columns(demand.left), structure_.columns(demand.right));
  for (int g = 0; g < x.groups(); ++g) {
    for (int h = 0; h < y.groups(); ++h) {
      if (demand.left == demand.right && h > g) continue;
      progress_.check();
      const auto rows = x.members(g), columns = y.members(h);
      const BatchNormGroup left = group(x, first, rows);
      const BatchNormMoment moment =
          x.standardize == y.standardize && g == h
              ? batch_norm_same_group(x.form, y.form, left)
              : batch_norm_two_groups(x.form, y.form, left, group(y, second, columns),
                                      part(cross, rows, columns));
      cost_.evaluations += moment.evaluations;
      result.value(rows, columns) = moment.moment.value;
      result.bound(rows, columns) = moment.moment.bound;
      if (demand.left == demand.right && h < g) {
        result.value(columns, rows) = moment.moment.value.transpose();
        result.bound(columns, rows) = moment.moment.bound.transpose();
      }
    }
  }
  return result;
}

UncertainMatrix Evaluation::table(NodeIndex node) const {
  return netsor::visit<netsor::Form::table>(
      Overloaded{
          [&](const netsor::Constant& op) { return exact(*op.matrix); },
          [&](const netsor::Gram& op) { return moment(op.left.index(), op.right.index()); },
          [&](const netsor::Mean& op) { return transpose((*this)[Demand::mean(op.argument.index())]); },
          [&](const netsor::Apply& op) {
            if (const auto argument = gram_diagonal(structure_, op)) {
              return transpose(diagonal(Demand::second_moment(*argument)));
            }
            std::vector<const UncertainMatrix*> arguments;
            for (const auto argument : op.arguments)
              arguments.push_back(&(*this)[Demand::table(argument.index())]);
            return analytic::apply(op.function, arguments);
          },
      },
      structure_.program().nodes()[node].operation);
}

}  // namespace nngpcheck::analytic
