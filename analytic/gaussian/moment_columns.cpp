// Compiled so that roots set no errno, nothing traps, and no product and sum are fused (CMakeLists.txt): the
// loops below then become vector instructions, each lane of which rounds like a scalar.
#include "nngpcheck/analytic/gaussian/moment_columns.hpp"

#include "nngpcheck/analytic/vector_widths.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;

template <class Form>
struct Row {
  typename Form::Column column;
  Normal normal;
};

// Visits the numbers of a row in their order of storage.
template <class Visit>
[[gnu::always_inline]] inline void each_number(HomogeneousPair::Column& u, const Visit& visit) {
  visit(u.variance.mantissa), visit(u.variance.unscale), visit(u.variance.inverse_root), visit(u.bound);
  visit(u.scale), visit(u.inverse), visit(u.half_inverse);
}
template <class Visit>
[[gnu::always_inline]] inline void each_number(ArcsinePair::Column& u, const Visit& visit) {
  visit(u.variance), visit(u.unscale), visit(u.scaled), visit(u.half_slope);
}
template <class Visit>
[[gnu::always_inline]] inline void each_number(GeluPair::Column& u, const Visit& visit) {
  visit(u.variance), visit(u.inverse);
}
template <class Form, class Visit>
[[gnu::always_inline]] inline void each_number(Row<Form>& row, const Visit& visit) {
  visit(row.normal.variance.bound);  // means are 0
  each_number(row.column, visit);
}

template <class Form>
Index count_of_numbers() {
  Row<Form> row{};
  Index result = 0;
  each_number(row, [&](double) { ++result; });
  return result;
}

template <class Form>
[[gnu::always_inline]] inline Moment moment_of(const Form& form, const typename Form::Column& u,
                                               const typename Form::Column& v, Estimate c) {
  if constexpr (std::is_same_v<Form, HomogeneousPair>) {
    return form.relu_moment(u, v, c);
  } else {
    return form.moment(u, v, c);
  }
}

// A row's numbers lie `stride` apart.
template <class Form>
[[gnu::always_inline]] inline void evaluate_rows(const Form& form, const Row<Form>& v, Index first,
                                                 Index last, const double* __restrict rows, Index stride,
                                                 const double* __restrict c, const double* __restrict c_bound,
                                                 double* __restrict value, double* __restrict bound) {
  for (Index i = first; i < last; ++i) {
    Row<Form> u{};
    const double* from = rows + i;
    each_number(u, [&](double& number) {
      number = *from;
      from += stride;
    });
    const Moment moment = moment_of(form, u.column, v.column, Estimate{c[i], c_bound[i]});
    const Estimate estimate = with_bounds(moment, u.normal, v.normal, c_bound[i]);
    value[i] = estimate.value;
    bound[i] = estimate.bound;
  }
}

// By value, and apart from each other: compilers must know that no store changes what the loop reads.
#define NNGPCHECK_EVALUATE(Form)                                                                            \
  NNGPCHECK_FOR_EVERY_WIDTH                                                                                 \
  void evaluate_all(const Form form, const Row<Form> v, Index first, Index last,                            \
                    const double* __restrict rows, Index stride, const double* __restrict c,                \
                    const double* __restrict c_bound, double* __restrict value, double* __restrict bound) { \
    evaluate_rows(form, v, first, last, rows, stride, c, c_bound, value, bound);                            \
  }
NNGPCHECK_EVALUATE(HomogeneousPair)
NNGPCHECK_EVALUATE(ArcsinePair)
NNGPCHECK_EVALUATE(GeluPair)

}  // namespace

template <class Form>
MomentColumns<Form>::MomentColumns(const Form& form, const std::vector<Normal>& rows)
    : form_(form), rows_(std::ssize(rows), count_of_numbers<Form>()) {
  for (Index i = 0; i < rows_.rows(); ++i) {
    const Normal& normal = rows[static_cast<std::size_t>(i)];
    Row<Form> row{form.row(normal), normal};
    Index k = 0;
    each_number(row, [&](double number) { rows_(i, k++) = number; });
  }
}

template <class Form>
void MomentColumns<Form>::evaluate(const Normal& v, Index first, Index last, const double* c,
                                   const double* c_bound, double* value, double* bound) const {
  evaluate_all(form_, Row<Form>{form_.column(v), v}, first, last, rows_.data(), rows_.rows(), c, c_bound,
               value, bound);
}

template class MomentColumns<HomogeneousPair>;
template class MomentColumns<ArcsinePair>;
template class MomentColumns<GeluPair>;

}  // namespace nngpcheck::analytic
