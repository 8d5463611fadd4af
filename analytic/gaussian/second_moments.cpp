#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "nngpcheck/analytic/gaussian/closed_form.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/normal_law.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;

/// E[φ(u)²] by a closed form. Precondition: u is not constant.
Estimate on_diagonal(const ClosedForm& form, const Normal& u) {
  return std::visit(
      [&](const auto& pair) {
        return with_bounds_on_diagonal(pair.moment(pair.row(u), pair.column(u), u.variance), u);
      },
      form);
}

}  // namespace

DualBlock second_moments(const netsor::Activation& phi, const Marginals& columns,
                         const Checkpoint& checkpoint, HermiteTables* tables) {
  const std::optional<ClosedForm> centred = closed_form(phi, phi, Means::zero),
                                  any = closed_form(phi, phi, Means::any);
  const Index count = columns.mean.value.size();
  DualBlock result{{Eigen::MatrixXd(count, 1), Eigen::MatrixXd(count, 1)}, DualMethod::closed_form, count};
  for (Index i = 0; i < count; ++i) {
    const Normal u = checked_normal({columns.mean.value(i), columns.mean.bound(i)},
                                    {columns.variance.value(i), columns.variance.bound(i)},
                                    "dual kernel, column " + std::to_string(i));
    const std::optional<ClosedForm>& form = u.mean.value == 0 && u.mean.bound == 0 ? centred : any;
    if (checkpoint) checkpoint();
    Estimate moment{NAN, NAN};
    if (form && u.variance.value > 0) moment = on_diagonal(*form, u);
    if (!std::isfinite(moment.value) ||
        !std::isfinite(moment.bound)) {  // no formula, or an error to be named
      const Marginals single{{columns.mean.value.segment(i, 1), columns.mean.bound.segment(i, 1)},
                             {columns.variance.value.segment(i, 1), columns.variance.bound.segment(i, 1)}};
      const DualBlock block =
          dual_block(phi, phi, single, single, {single.variance.value, single.variance.bound},
                     Symmetry::symmetric, checkpoint, 1, tables);
      moment = {block.moment.value(0, 0), block.moment.bound(0, 0)};
      result.method = std::max(result.method, block.method);
    }
    result.moment.value(i, 0) = moment.value;
    result.moment.bound(i, 0) = moment.bound;
  }
  return result;
}

}  // namespace nngpcheck::analytic
