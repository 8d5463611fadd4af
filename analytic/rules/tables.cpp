// Tables: moments, means, constants, and functions of tables.
#include <algorithm>

#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/rules/patterns.hpp"
#include "nngpcheck/analytic/rules/rules.hpp"
#include "nngpcheck/analytic/rules/table_function.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

class ConstantStep : public Step {
 public:
  ConstantStep(const Demand& demand, const MatrixXd& matrix)
      : Step(demand, Method::table, {}), matrix_(matrix) {}

  UncertainMatrix value(Workplace&, Cost&) const override { return exact(matrix_); }

  Directions push(Workplace&, const Changes& changes) const override {
    return Directions::Zero(matrix_.size(), changes.directions());
  }

 private:
  const MatrixXd& matrix_;
};

/// E[XᵀY]; E[X] or the second moments of X as one row.
class ReadStep : public Step {
 public:
  enum class As { matrix, transposed, row };

  ReadStep(const Demand& demand, const Demand& source, As as, Index source_rows)
      : Step(demand, Method::table, {source}), source_(source), as_(as), source_rows_(source_rows) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    const UncertainMatrix& source = workplace.values[source_];
    if (as_ == As::matrix) return source;
    return transpose(as_ == As::row ? workplace.values.diagonal(source_) : source);
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    const Directions* source = changes.find(source_);
    const Index rows = source_rows_;
    if (!source) {
      const Index all = workplace.values[source_].value.size();
      const bool part = as_ == As::row && source_.entries.is_full();
      return Directions::Zero(part ? rows : all, changes.directions());
    }
    if (as_ == As::matrix) return *source;
    if (as_ == As::row && source_.entries.is_full()) {
      return (*source)(Eigen::seqN(0, rows, rows + 1), Eigen::all);
    }
    if (as_ == As::row) return *source;
    Directions result(source->rows(), source->cols());
    const Index columns = source->rows() / rows;
    for (Index k = 0; k < source->rows(); ++k) result.row(k % rows * columns + k / rows) = source->row(k);
    return result;
  }

 private:
  Demand source_;
  As as_;
  Index source_rows_;
};

class ApplyStep : public Step {
 public:
  ApplyStep(const Demand& demand, const netsor::TableFunction& function, std::vector<Demand> arguments)
      : Step(demand, Method::table, std::move(arguments)), function_(function) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    return analytic::apply(function_, arguments(workplace.values));
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    std::vector<const Directions*> of_arguments;
    for (const Demand& argument : needs()) of_arguments.push_back(changes.find(argument));
    return push_table(function_, arguments(workplace.values), of_arguments, changes.directions());
  }

 private:
  std::vector<const UncertainMatrix*> arguments(const Values& values) const {
    std::vector<const UncertainMatrix*> result;
    for (const Demand& argument : needs()) result.push_back(&values[argument]);
    return result;
  }

  const netsor::TableFunction& function_;
};

}  // namespace

StepPointer table_rule(const Planning& planning, const Demand& demand) {
  if (demand.kind != Demand::Kind::table) return nullptr;
  const Structure& structure = planning.structure;
  const auto read = [&](const Demand& source, ReadStep::As as) -> StepPointer {
    return std::make_unique<ReadStep>(demand, source, as, structure.columns(source.left));
  };
  return netsor::visit<netsor::Form::table>(
      netsor::Overloaded{
          [&](const netsor::Constant& op) -> StepPointer {
            return std::make_unique<ConstantStep>(demand, *op.matrix);
          },
          [&](const netsor::Gram& op) {
            const bool turned = op.left.index() > op.right.index();
            return read(Demand::moment(op.left.index(), op.right.index()),
                        turned ? ReadStep::As::transposed : ReadStep::As::matrix);
          },
          [&](const netsor::Mean& op) {
            return read(Demand::mean(op.argument.index()), ReadStep::As::transposed);
          },
          [&](const netsor::Apply& op) -> StepPointer {
            // The diagonal of a Gram needs no more than second moments.
            if (const auto argument = gram_diagonal(structure, op)) {
              return read(planning.second_moment(*argument), ReadStep::As::row);
            }
            std::vector<Demand> arguments;
            for (const auto argument : op.arguments) arguments.push_back(Demand::table(argument.index()));
            return std::make_unique<ApplyStep>(demand, op.function, std::move(arguments));
          },
      },
      structure.program().nodes()[demand.left].operation);
}

}  // namespace nngpcheck::analytic
