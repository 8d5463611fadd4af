#include "nngpcheck/analytic/batch_norm/batch_norm.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "nngpcheck/analytic/batch_norm/laplace_sum.hpp"
#include "nngpcheck/analytic/error.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// ---- The law of the centred columns. ----

/// HMH' for the value. The bound stays M's, with that of rounding: the movement of HMH' is H dM H'.
UncertainMatrix centre(const UncertainMatrix& matrix) {
  const MatrixXd& m = matrix.value;
  const VectorXd rows = m.rowwise().mean();
  const Eigen::RowVectorXd columns = m.colwise().mean();
  const double all = m.mean();
  MatrixXd result(m.rows(), m.cols());
  for (Index j = 0; j < m.cols(); ++j) {
    for (Index i = 0; i < m.rows(); ++i) result(i, j) = (m(i, j) + all) - (rows(i) + columns(j));
  }
  return {result, matrix.bound + few_roundings * m.cwiseAbs()};
}

UncertainMatrix scaled(const UncertainMatrix& matrix, double factor) {
  return {matrix.value * factor, matrix.bound * factor};
}

/// Columns that are equal, as one column times the root of their number: so |y|² stays what it is, and by
/// homogeneity the moments are those of the column but for a factor.
struct Distinct {
  std::vector<Index> columns;  // the first of each kind
  std::vector<Index> kind;     // of each column
  VectorXd roots;              // of the numbers of equal columns

  explicit Distinct(const BatchNormGroup& group) {
    for (Index i = 0; i < group.covariance.value.rows(); ++i) {
      const Index first = group.equal_to.empty() ? i : group.equal_to[i];
      if (first == i) columns.push_back(i);
      kind.push_back(first == i ? std::ssize(columns) - 1 : kind[first]);
    }
    roots = VectorXd::Zero(std::ssize(columns));
    for (const Index k : kind) roots(k) += 1;
    roots = roots.cwiseSqrt();
  }

  /// The direction that centring takes away.
  VectorXd mean() const { return roots / std::sqrt(static_cast<double>(kind.size())); }
};

UncertainMatrix distinct(const UncertainMatrix& matrix, const Distinct& rows, const Distinct& columns) {
  const MatrixXd factors = rows.roots * columns.roots.transpose();
  return {matrix.value(rows.columns, columns.columns).cwiseProduct(factors),
          matrix.bound(rows.columns, columns.columns).cwiseProduct(factors)};
}

/// The moments of all columns from those of the distinct ones.
UncertainMatrix all_columns(const UncertainMatrix& moment, const HomogeneousForm& phi, const Distinct& rows,
                            const HomogeneousForm& psi, const Distinct& columns) {
  const auto factors = [](const HomogeneousForm& form, const Distinct& distinct) {
    return VectorXd(distinct.roots.array().pow(-form.power));
  };
  const MatrixXd scale = factors(phi, rows) * factors(psi, columns).transpose();
  return {moment.value.cwiseProduct(scale)(rows.kind, columns.kind),
          moment.bound.cwiseProduct(scale)(rows.kind, columns.kind)};
}

/// One group, in units in which its covariance Σ̃ has a trace of about B.
struct Group {
  explicit Group(const BatchNormGroup& given) : distinct(given) {}

  Distinct distinct;
  UncertainMatrix covariance;  // Σ̃ of the distinct columns
  MatrixXd vectors;            // its eigenvectors
  VectorXd values;             // its eigenvalues; what rounding made of zeros is 0
  double noise;                // up to this a variance or an eigenvalue may be rounding
  double epsilon;
  double unit;              // the power of two by which the columns were multiplied
  std::vector<bool> alive;  // whether y_i differs from 0 by more than rounding

  Index size() const { return values.size(); }
  bool is_pair() const { return distinct.kind.size() == 2 && epsilon == 0; }
  double tilt() const {
    return 2.0 / static_cast<double>(distinct.kind.size());
  }  // of |y|²/B, as a precision
};

double unit_of(const UncertainMatrix& centred, double epsilon) {
  const double variance = std::max(centred.value.diagonal().mean(), epsilon);
  if (!(variance > 0)) return 1;
  return std::exp2(-std::round(0.5 * std::log2(variance)));
}

Group make_group(const BatchNormGroup& given) {
  const auto& [covariance, epsilon, equal_to] = given;
  if (!covariance.value.allFinite() || !covariance.bound.allFinite()) {
    throw LimitError(
        "batch norm: the covariance of a group is not finite; scale the inputs or the weights down");
  }
  const UncertainMatrix centred = centre(covariance);
  Group group(given);
  group.unit = unit_of(centred, epsilon);
  group.covariance = scaled(distinct(centred, group.distinct, group.distinct), group.unit * group.unit);
  group.epsilon = epsilon * group.unit * group.unit;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(group.covariance.value);
  group.vectors = solver.eigenvectors();
  group.values = solver.eigenvalues();
  const double size = std::sqrt(static_cast<double>(covariance.value.rows()));
  group.noise = 4 * few_roundings * size * covariance.value.cwiseAbs().maxCoeff() * group.unit * group.unit;
  if (group.values.minCoeff() < -group.noise - group.covariance.bound.rowwise().sum().maxCoeff()) {
    throw LimitError(
        "batch norm: the covariance of a group has a negative eigenvalue; give a covariance matrix");
  }
  group.values = (group.values.array() > group.noise).select(group.values, 0.0);
  if (epsilon == 0 && !(group.values.maxCoeff() > 0)) {
    throw LimitError(
        "batch norm: all columns of a group coincide, so their variance is 0 and the quotient has no limit; "
        "give inputs that differ, or epsilon > 0");
  }
  group.covariance.bound.array() += few_roundings * group.values.maxCoeff();  // of the eigendecomposition
  for (Index i = 0; i < group.size(); ++i) group.alive.push_back(group.covariance.value(i, i) > group.noise);
  return group;
}

/// Steps are halved until the coarse error is small enough that its square is nothing.
constexpr double enough = 3e-7;
constexpr int refinements = 3;

/// A bound needs few digits: every so many nodes are enough for it.
constexpr std::size_t stride = 3;

/// Two columns: ŷ = ±1 exactly, so only the sign of y counts.
HomogeneousForm of_signs(const HomogeneousForm& form, const Group& group) {
  if (!group.is_pair()) return form;
  return {form.positive, form.negative, 0};
}

BatchNormMoment two_signs(const HomogeneousForm& phi, const HomogeneousForm& psi) {
  const double equal = 0.5 * (phi.positive * psi.positive + phi.negative * psi.negative);
  const double opposite = 0.5 * (phi.positive * psi.negative + phi.negative * psi.positive);
  MatrixXd moment(2, 2);
  moment << equal, opposite, opposite, equal;
  return {{moment, few_roundings * moment.cwiseAbs()}, 4};
}

// ---- Two groups. ----

/// The joint law of two groups, tilted first by s|y|²/B₁ and then by t|z|²/B₂.
class TwoGroups {
 public:
  TwoGroups(const Group& first, const Group& second, const MatrixXd& cross)
      : first_(first),
        second_(second),
        cross_(cross),
        loadings_(first.vectors.transpose() * cross),
        squares_(first.vectors.cwiseAbs2()) {}

  void tilt_first(double s) {
    const ArrayXd shrink = 1 + s * first_.tilt() * first_.values.array();
    log_determinant_ = shrink.log().sum();
    if (s == 0) {
      row_variance_ = first_.covariance.value.diagonal();
      covariance_ = cross_;
      column_variance_ = second_.covariance.value.diagonal();
      values_ = second_.values;
      vectors_ = second_.vectors;
    } else {
      const MatrixXd shrunk = shrink.inverse().matrix().asDiagonal() * loadings_;
      row_variance_ = squares_ * (first_.values.array() / shrink).matrix();
      covariance_ = first_.vectors * shrunk;
      const MatrixXd rest = second_.covariance.value - s * first_.tilt() * loadings_.transpose() * shrunk;
      const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(rest);
      values_ = solver.eigenvalues().cwiseMax(0.0);
      vectors_ = solver.eigenvectors();
      column_variance_ = rest.diagonal();
    }
    projected_ = covariance_ * vectors_;
    row_squares_ = projected_.cwiseAbs2();
    column_squares_ = vectors_.cwiseAbs2();
  }

  /// The law at (s, t) after tilt_first(s).
  struct Law {
    ArrayXd row_variance;
    ArrayXd column_variance;
    MatrixXd covariance;
    double determinant;  // |I + JT|^{-1/2}
  };
  void tilt_second(double t, Law& law) const {
    const double tilt = t * second_.tilt();
    const ArrayXd shrink = 1 + tilt * values_.array();
    law.determinant = std::exp(-0.5 * (log_determinant_ + shrink.log().sum()));
    if (t == 0) {
      law.row_variance = row_variance_;
      law.column_variance = column_variance_;
      law.covariance = covariance_;
      return;
    }
    const VectorXd inverse = shrink.inverse();
    law.row_variance = row_variance_ - tilt * row_squares_ * inverse;
    law.column_variance = column_squares_ * (values_.array() / shrink).matrix();
    law.covariance.noalias() = projected_ * inverse.asDiagonal() * vectors_.transpose();
  }

 private:
  const Group& first_;
  const Group& second_;
  const MatrixXd& cross_;
  MatrixXd loadings_, squares_;
  double log_determinant_ = 0;
  VectorXd row_variance_, column_variance_, values_;
  MatrixXd covariance_, vectors_, projected_, row_squares_, column_squares_;
};

UncertainMatrix joint_covariance(const Group& first, const Group& second, const UncertainMatrix& cross) {
  const Index rows = first.size();
  const Index columns = second.size();
  const auto assemble = [&](const MatrixXd& a, const MatrixXd& b, const MatrixXd& c) {
    MatrixXd result(rows + columns, rows + columns);
    result << a, c, c.transpose(), b;
    return result;
  };
  return {assemble(first.covariance.value, second.covariance.value, cross.value),
          assemble(first.covariance.bound, second.covariance.bound, cross.bound)};
}

UncertainMatrix make_cross(const UncertainMatrix& cross, const Group& first, const Group& second) {
  if (!cross.value.allFinite() || !cross.bound.allFinite()) {
    throw LimitError(
        "batch norm: the covariance between two groups is not finite; scale the inputs or the weights down");
  }
  UncertainMatrix result =
      scaled(distinct(centre(cross), first.distinct, second.distinct), first.unit * second.unit);
  result.bound.array() += few_roundings * std::sqrt(first.values.maxCoeff() * second.values.maxCoeff());
  return result;
}

}  // namespace

BatchNormMoment batch_norm_same_group(const HomogeneousForm& phi, const HomogeneousForm& psi,
                                      const BatchNormGroup& given) {
  const Group group = make_group(given);
  if (group.is_pair()) return two_signs(phi, psi);
  const int k = phi.power + psi.power;
  const bool same = phi.positive == psi.positive && phi.negative == psi.negative && phi.power == psi.power;
  const VectorXd spectrum = group.tilt() * group.values;
  for (int refinement = 0;; ++refinement) {
    const std::vector<LaplaceNode> nodes =
        laplace_nodes(k, spectrum, group.epsilon, std::ldexp(laplace_step(k), -refinement));
    LaplaceSum sum(phi, psi, group.alive, group.alive, same ? Entries::lower : Entries::all);
    for (std::size_t a = 0; a < nodes.size(); ++a) {
      const ArrayXd shrink = 1 + nodes[a].s * spectrum.array();
      const VectorXd values = group.values.array() / shrink;
      const MatrixXd tilted = k == 0
                                  ? group.covariance.value
                                  : MatrixXd(group.vectors * values.asDiagonal() * group.vectors.transpose());
      sum.add(nodes[a].weight * std::exp(-0.5 * shrink.log().sum()), tilted.diagonal(), tilted.diagonal(),
              tilted, a, 0);
    }
    const double error = sum.coarse_error(nodes.size(), 1);
    if (error > enough && refinement < refinements) continue;
    MatrixXd moved = MatrixXd::Zero(group.size(), group.size());
    const LaplaceMovement movement(phi, psi, group.covariance, group.noise, group.distinct.mean(), {});
    const std::size_t skip = std::min(stride, nodes.size());
    for (std::size_t a = skip / 2; a < nodes.size(); a += skip) {
      const VectorXd tilt = VectorXd::Constant(group.size(), nodes[a].s * group.tilt());
      movement.add(nodes[a].weight * static_cast<double>(skip), tilt, moved);
    }
    UncertainMatrix moment = sum.result(error);
    moment.bound += same ? MatrixXd(0.5 * (moved + moved.transpose())) : moved;
    return {all_columns(moment, phi, group.distinct, psi, group.distinct), sum.evaluations()};
  }
}

BatchNormMoment batch_norm_two_groups(const HomogeneousForm& phi, const HomogeneousForm& psi,
                                      const BatchNormGroup& first, const BatchNormGroup& second,
                                      const UncertainMatrix& cross) {
  const Group y = make_group(first);
  const Group z = make_group(second);
  const UncertainMatrix c = make_cross(cross, y, z);
  const HomogeneousForm f = of_signs(phi, y);
  const HomogeneousForm g = of_signs(psi, z);
  TwoGroups law(y, z, c.value);
  for (int refinement = 0;; ++refinement) {
    const auto nodes_of = [&](int power, const Group& group) {
      const double step = std::ldexp(laplace_step(power), -refinement);
      return laplace_nodes(power, group.tilt() * group.values, group.epsilon, step);
    };
    const std::vector<LaplaceNode> s = nodes_of(f.power, y);
    const std::vector<LaplaceNode> t = nodes_of(g.power, z);
    LaplaceSum sum(f, g, y.alive, z.alive, Entries::all);
    TwoGroups::Law tilted;
    for (std::size_t a = 0; a < s.size(); ++a) {
      law.tilt_first(s[a].s);
      for (std::size_t b = 0; b < t.size(); ++b) {
        law.tilt_second(t[b].s, tilted);
        const double weight = s[a].weight * t[b].weight * tilted.determinant;
        sum.add(weight, tilted.row_variance, tilted.column_variance, tilted.covariance, a, b);
      }
    }
    const double error = sum.coarse_error(s.size(), t.size());
    if (error > enough && refinement < refinements) continue;
    UncertainMatrix moment = sum.result(error);
    const UncertainMatrix joint = joint_covariance(y, z, c);
    const LaplaceMovement movement(f, g, joint, std::max(y.noise, z.noise), y.distinct.mean(),
                                   z.distinct.mean());
    const std::size_t skip_s = std::min(stride, s.size());
    const std::size_t skip_t = std::min(stride, t.size());
    VectorXd tilt(y.size() + z.size());
    for (std::size_t a = skip_s / 2; a < s.size(); a += skip_s) {
      for (std::size_t b = skip_t / 2; b < t.size(); b += skip_t) {
        tilt << VectorXd::Constant(y.size(), s[a].s * y.tilt()),
            VectorXd::Constant(z.size(), t[b].s * z.tilt());
        movement.add(s[a].weight * t[b].weight * static_cast<double>(skip_s * skip_t), tilt, moment.bound);
      }
    }
    return {all_columns(moment, f, y.distinct, g, z.distinct), sum.evaluations()};
  }
}

}  // namespace nngpcheck::analytic
