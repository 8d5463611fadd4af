// Many moments of closed forms at once.
#pragma once

#include <Eigen/Core>
#include <type_traits>
#include <vector>

#include "nngpcheck/analytic/gaussian/closed_form.hpp"

namespace nngpcheck::analytic {

/// Moments of many rows u with one column v, by vector instructions as wide as the machine's, to the same
/// bits on all: with_bounds(form.moment(row, column, c)) of each row, where `row` and its normal law are
/// stored number by number. For forms without branches alone.
template <class Form>
class MomentColumns {
 public:
  MomentColumns(const Form& form, const std::vector<Normal>& rows);

  /// Of rows first, …, last - 1 with v: c and its bounds, values and bounds begin with row 0.
  void evaluate(const Normal& v, Eigen::Index first, Eigen::Index last, const double* c,
                const double* c_bound, double* value, double* bound) const;

 private:
  Form form_;
  Eigen::ArrayXXd rows_;  // one column per number of a row
};

extern template class MomentColumns<HomogeneousPair>;
extern template class MomentColumns<ArcsinePair>;
extern template class MomentColumns<GeluPair>;

/// Whether a form may be without branches; is_branch_free() says whether it is.
template <class Form>
inline constexpr bool has_moment_columns =
    std::is_same_v<Form, HomogeneousPair> || std::is_same_v<Form, ArcsinePair> ||
    std::is_same_v<Form, GeluPair>;

}  // namespace nngpcheck::analytic
