#include "nngpcheck/analytic/batch_norm/batch_norm_slopes.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "nngpcheck/analytic/batch_norm/laplace_sum.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/closed_form.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Of the step that is good to rounding. Measured against a quarter of it, relative to the largest slope: 5e-8
// in one group, 2.4e-7 in two, of 4 to 32 columns; a sixteenth of the nodes of two.
constexpr double coarse = 2;

// I - 11ᵀ/B in each group.
MatrixXd centring(Index rows, Index size) {
  MatrixXd result = MatrixXd::Identity(size, size);
  const Index columns = size - rows;
  result.topLeftCorner(rows, rows).array() -= 1 / static_cast<double>(rows);
  if (columns > 0) result.bottomRightCorner(columns, columns).array() -= 1 / static_cast<double>(columns);
  return result;
}

HomogeneousForm effective(const HomogeneousForm& form, Index size, double epsilon) {
  if (size != 2 || epsilon > 0) return form;
  return {form.positive, form.negative, 0};
}

std::vector<LaplaceNode> nodes_of(int power, const MatrixXd& covariance, double epsilon) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance, Eigen::EigenvaluesOnly);
  const double size = static_cast<double>(covariance.rows());
  const double largest = solver.eigenvalues().maxCoeff();
  if (!(largest > 0) && epsilon == 0) {
    throw LimitError("batch norm: all columns of a group coincide; give inputs that differ, or epsilon > 0");
  }
  const VectorXd values =
      (solver.eigenvalues().array() > 64 * few_roundings * largest).select(solver.eigenvalues(), 0);
  return laplace_nodes(power, 2 / size * values, epsilon, coarse * laplace_step(power));
}

/// The slopes of one node, summed up.
class Sum {
 public:
  Sum(const HomogeneousForm& phi, const HomogeneousForm& psi, const MatrixXd& centred, Index rows,
      bool one_group)
      : pair_(phi, psi),
        p_(phi.power),
        q_(psi.power),
        centred_(centred),
        centring_(centring(rows, centred.rows())),
        rows_(rows),
        first_(one_group ? 0 : rows),
        columns_(one_group ? rows : centred.rows() - rows) {
    result_ = MatrixXd::Zero(centred.size(), rows_ * columns_);
  }

  void add(double weight, const VectorXd& tilt) {
    const Index n = centred_.rows();
    const Eigen::PartialPivLU<MatrixXd> lu(MatrixXd::Identity(n, n) + centred_ * tilt.asDiagonal());
    const MatrixXd p = lu.inverse();
    const MatrixXd g = p * centred_;
    const double scale = weight / std::sqrt(lu.determinant());
    const MatrixXd reach = p * centring_;  // dG = reach dΣ reachᵀ
    const MatrixXd log_determinant = -0.5 * centring_ * (tilt.asDiagonal() * reach);
    const MatrixXd symmetric = 0.5 * (log_determinant + log_determinant.transpose());
    for (Index j = 0; j < columns_; ++j) {
      const VectorXd v = reach.row(first_ + j).transpose();
      for (Index i = 0; i < rows_; ++i) {
        if (!alive(i) || !alive(first_ + j)) continue;
        const Slopes s = slopes(g, i, first_ + j);
        const VectorXd u = reach.row(i).transpose();
        // s.a uuᵀ + s.b vvᵀ + ½ s.c (uvᵀ + vuᵀ), as u pᵀ + v qᵀ, symmetrized at the end.
        const VectorXd left = scale * (s.a * u + s.c * v), right = scale * s.b * v;
        double* gradient = result_.col(j * rows_ + i).data();
        for (Index k = 0; k < n; ++k) {
          Eigen::Map<VectorXd>(gradient + k * n, n) +=
              left[k] * u + right[k] * v + scale * s.value * symmetric.col(k);
        }
      }
    }
  }

  MatrixXd take() const { return result_.transpose(); }

 private:
  struct Slopes {
    double value, a, b, c;
  };

  bool alive(Index k) const { return centred_(k, k) > 64 * few_roundings * centred_.diagonal().maxCoeff(); }

  Slopes slopes(const MatrixXd& g, Index i, Index j) const {
    const Normal u{{0, 0}, {g(i, i), 0}}, v{{0, 0}, {g(j, j), 0}};
    const Moment moment = pair_.moment(pair_.row(u), pair_.column(v), {i == j ? g(i, i) : g(i, j), 0});
    // Columns of correlation ±1 stay so: only the scales move.
    const bool rigid = first_ == 0 && (i == j || rows_ == 2);
    if (rigid) return {moment.value, 0.5 * p_ * moment.value / g(i, i), 0.5 * q_ * moment.value / g(j, j), 0};
    return {moment.value, moment.slope_a, moment.slope_b, moment.slope_c};
  }

  HomogeneousPair pair_;
  int p_, q_;
  const MatrixXd& centred_;
  MatrixXd centring_;
  Index rows_, first_, columns_;
  MatrixXd result_;  // a column per entry of the moment
};

}  // namespace

MatrixXd batch_norm_slopes(const HomogeneousForm& phi, const HomogeneousForm& psi, const BatchNormLaw& law) {
  const Index n = law.covariance.rows(), rows = law.rows, columns = law.one_group ? rows : n - rows;
  const HomogeneousForm f = effective(phi, rows, law.epsilon_rows);
  const HomogeneousForm g = effective(psi, columns, law.one_group ? law.epsilon_rows : law.epsilon_columns);
  const MatrixXd h = centring(rows, n);
  const MatrixXd centred = h * law.covariance * h;
  Sum sum(f, g, centred, rows, law.one_group);
  const double tilt_rows = 2 / static_cast<double>(rows);
  if (law.one_group) {
    for (const LaplaceNode& node : nodes_of(f.power + g.power, centred, law.epsilon_rows)) {
      sum.add(node.weight, VectorXd::Constant(n, node.s * tilt_rows));
    }
    return sum.take();
  }
  const double tilt_columns = 2 / static_cast<double>(columns);
  const auto second = nodes_of(g.power, centred.bottomRightCorner(columns, columns), law.epsilon_columns);
  VectorXd tilt(n);
  for (const LaplaceNode& s : nodes_of(f.power, centred.topLeftCorner(rows, rows), law.epsilon_rows)) {
    for (const LaplaceNode& t : second) {
      tilt << VectorXd::Constant(rows, s.s * tilt_rows), VectorXd::Constant(columns, t.s * tilt_columns);
      sum.add(s.weight * t.weight, tilt);
    }
  }
  return sum.take();
}

}  // namespace nngpcheck::analytic
