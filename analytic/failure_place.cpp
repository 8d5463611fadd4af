#include <algorithm>

#include "analytic/batch_norm.hpp"
#include "analytic/dual.hpp"
#include "analytic/error.hpp"
#include "analytic/evaluation.hpp"
#include "analytic/patterns.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;

template <class Work>
bool fails(const Work& work) {
  try {
    work();
  } catch (const LimitError&) {
    return true;
  }
  return false;
}

// The first row that holds such a number; of a table with one row, the column.
Index not_finite(const UncertainMatrix& x) {
  const bool row = x.value.rows() == 1;
  for (Index k = 0; k < (row ? x.value.cols() : x.value.rows()); ++k) {
    if (!(row ? x.value.col(k).allFinite() : x.value.row(k).allFinite())) return k;
  }
  return 0;
}

}  // namespace

void Evaluation::require_finite(const UncertainMatrix& value) {
  if (!value.value.allFinite())
    throw LimitError("the limit is not finite; use smaller variances", {not_finite(value)});
}

// The instruction that a step failed at, and its columns that fail by themselves, too, where who threw did
// not know them.
std::string Evaluation::place_of(const Step& step, const LimitError& error) const {
  const netsor::Program& program = structure_.program();
  const NodeIndex x = step.demand.left;
  if (!error.columns().empty()) return program.place(x, error.columns());
  if (step.method == Method::batch_norm) {
    const BatchNormPattern pattern = *batch_norm_pattern(structure_, x);
    const auto* map = std::get_if<netsor::Map>(&program.nodes()[x].operation);
    const NodeIndex standardize = map ? map->argument.index() : x;
    const UncertainMatrix all = covariance(pattern.argument, pattern.argument);
    for (int g = 0; g < pattern.groups(); ++g) {
      const std::vector<Index> group = pattern.members(g);
      const UncertainMatrix own{all.value(group, group), all.bound(group, group)};
      if (fails([&] {
            batch_norm_same_group(pattern.form, pattern.form, {own, pattern.standardize->epsilon});
          })) {
        return program.place(standardize, {group.front()});
      }
    }
    return program.place(standardize);
  }
  const std::optional<DualPattern> pattern = dual_pattern(structure_, x);
  if (step.method != Method::dual || !pattern->activation) return program.place(x);
  const Eigen::MatrixXd& means = (*this)[Demand::mean(pattern->argument)].value;
  const UncertainMatrix variances = diagonal(Demand::variance(pattern->argument));
  for (Index j = 0; j < means.rows(); ++j) {
    const double mean = means(j, 0), variance = std::max(0.0, variances.value(j, 0));
    const BivariateNormal law{variance, variance, variance, mean, mean};
    if (fails([&] { analytic::dual(*pattern->activation, *pattern->activation, law); }))
      return program.place(x, {j});
  }
  return program.place(x);
}

}  // namespace nngpcheck::analytic
