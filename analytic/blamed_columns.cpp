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

}  // namespace

// The columns of a step that failed which fail by themselves, too: who threw did not know them.
std::vector<Index> Evaluation::blamed_columns(const Step& step) const {
  const NodeIndex x = step.demand.left;
  if (step.method == Method::batch_norm) {
    const BatchNormPattern pattern = *batch_norm_pattern(structure_, x);
    const UncertainMatrix all = covariance(pattern.argument, pattern.argument);
    for (int g = 0; g < pattern.groups(); ++g) {
      const std::vector<Index> group = pattern.members(g);
      const UncertainMatrix own{all.value(group, group), all.bound(group, group)};
      if (fails([&] {
            batch_norm_same_group(pattern.form, pattern.form, own, pattern.standardize->epsilon);
          })) {
        return {group.front()};
      }
    }
  }
  if (step.method == Method::dual) {
    const DualPattern pattern = *dual_pattern(structure_, x);
    if (!pattern.activation) return {};
    const Eigen::MatrixXd& means = (*this)[Demand::mean(pattern.argument)].value;
    const UncertainMatrix variances = diagonal(Demand::variance(pattern.argument));
    for (Index j = 0; j < means.rows(); ++j) {
      const double mean = means(j, 0), variance = std::max(0.0, variances.value(j, 0));
      const BivariateNormal law{variance, variance, variance, mean, mean};
      if (fails([&] { analytic::dual(*pattern.activation, *pattern.activation, law); })) return {j};
    }
  }
  return {};
}

}  // namespace nngpcheck::analytic
