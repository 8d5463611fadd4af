#include "nngpcheck/analytic/gaussian/dual_slopes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/closed_form.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/hermite_series.hpp"
#include "nngpcheck/analytic/gaussian/normal.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using netsor::Activation;

// Of a series of slopes, relative to √(E[φ²] E[ψ²]): beyond it the score is used.
constexpr double largest_slope_remainder = 1e-10;

Normal exact_normal(const Marginal& u) { return {{u.mean, 0}, {u.variance, 0}}; }

// A function of u whose kinks and jumps are those of φ and ψ; ψ may be φ.
Activation made_of(const std::string& name, std::function<double(double)> function, const Activation& phi,
                   const Activation& psi, const Marginal& u) {
  const double far = 40 * std::sqrt(u.variance);  // beyond it the density is 0
  std::set<double> kinks;
  for (const Activation* f : {&phi, &psi}) {
    const netsor::Breakpoints found = f->breakpoints(u.mean - far, u.mean + far);
    if (!found.complete) return Activation::custom(name, std::move(function));
    kinks.insert(found.points.begin(), found.points.end());
  }
  return Activation::custom(name, std::move(function), {kinks.begin(), kinks.end()});
}

/// φ(x) (x - mean)^power, as a function to be integrated.
Activation weighted(const Activation& phi, const Marginal& u, int power) {
  if (power == 0) return phi;
  return made_of(
      phi.name() + " (x - mean)^" + std::to_string(power),
      [phi, mean = u.mean, power](double x) { return evaluate(phi, x) * integer_power(x - mean, power); },
      phi, phi, u);
}

Activation product_of(const Activation& phi, const Activation& psi, const Marginal& u) {
  return made_of(
      phi.name() + " " + psi.name(), [phi, psi](double x) { return evaluate(phi, x) * evaluate(psi, x); },
      phi, psi, u);
}

DualSlopes by_score(const Activation& phi, const Activation& psi, const Marginal& u, const Marginal& v,
                    double c) {
  const double determinant = u.variance * v.variance - c * c;
  if (!(determinant > 1e-12 * u.variance * v.variance)) {
    const MeanSlopes both = same_column_slopes(phi, psi, u);
    return {0, both.variance, 0, both.mean, 0};
  }
  // E[φψ x^k y^l] for the centred x = u - mean u, y = v - mean v
  const auto moment = [&](int k, int l) {
    return dual(weighted(phi, u, k), weighted(psi, v, l), {u.variance, v.variance, c, u.mean, v.mean}).value;
  };
  const double a = u.variance / determinant, b = v.variance / determinant, r = c / determinant;
  const double e = moment(0, 0), x = moment(1, 0), y = moment(0, 1);
  const double xx = moment(2, 0), xy = moment(1, 1), yy = moment(0, 2);
  // with p = Σ⁻¹x: p_u = b x - r y, p_v = a y - r x
  DualSlopes result;
  result.mean_u = b * x - r * y;
  result.mean_v = a * y - r * x;
  result.variance_u = 0.5 * (b * b * xx - 2 * b * r * xy + r * r * yy - b * e);
  result.variance_v = 0.5 * (a * a * yy - 2 * a * r * xy + r * r * xx - a * e);
  result.covariance = (a * b + r * r) * xy - b * r * xx - a * r * yy + r * e;
  return result;
}

/// E[φ'(u) ψ(v)] of positively homogeneous functions at means 0.
double homogeneous_mean_slope(const HomogeneousForm& phi, const HomogeneousForm& psi, const Normal& u,
                              const Normal& v, double c) {
  if (phi.power > 0) {
    const double p = phi.power;
    const HomogeneousPair pair({p * phi.positive, -p * phi.negative, phi.power - 1}, psi);
    return pair.moment(pair.row(u), pair.column(v), {c, 0}).value;
  }
  // φ' is a jump at 0, where v has mean 0 and what is left of its variance
  const double a = u.variance.value;
  const double rest = std::sqrt(std::max(0.0, v.variance.value - c * c / a));
  const double q = psi.power;
  const double half_moment =
      std::exp2(0.5 * q - 1) * std::tgamma(0.5 * (q + 1)) / std::sqrt(std::numbers::pi);  // E[x₊^q]
  return (phi.positive - phi.negative) * normal_density(0) / std::sqrt(a) * (psi.positive + psi.negative) *
         half_moment * integer_power(rest, psi.power);
}

/// E[φ'(u) ψ'(v)] where φ or ψ jumps.
double homogeneous_covariance_slope(const HomogeneousForm& phi, const HomogeneousForm& psi, const Normal& u,
                                    const Normal& v, double c) {
  const auto derivative = [](const HomogeneousForm& f) {
    return HomogeneousForm{f.power * f.positive, -f.power * f.negative, f.power - 1};
  };
  if (psi.power > 0) return homogeneous_mean_slope(phi, derivative(psi), u, v, c);
  if (phi.power > 0) return homogeneous_mean_slope(psi, derivative(phi), v, u, c);
  const double determinant = u.variance.value * v.variance.value - c * c;
  if (!(determinant > 0)) {
    throw LimitError(
        "two columns that are not the same coincide in the limit, and a product of jumps of both is not "
        "differentiable there: networks come closer as n^-1/2 only, and no first order in 1/n is known; take "
        "a "
        "function without jumps");
  }
  return (phi.positive - phi.negative) * (psi.positive - psi.negative) /
         (2 * std::numbers::pi * std::sqrt(determinant));
}

struct Series {
  DualSlopes slopes;
  bool converged;
};

Series by_series(const HermiteTable& left, Index i, double deviation_u, const HermiteTable& right, Index j,
                 double deviation_v, double c) {
  if (!left.usable[static_cast<std::size_t>(i)] || !right.usable[static_cast<std::size_t>(j)])
    return {{}, false};
  const double rho = std::clamp(c / (deviation_u * deviation_v), -1.0, 1.0);
  const Index orders = std::min(left.orders(), right.orders()) - 2;
  const double norms = left.norm(i) * right.norm(j);
  Series result{{}, false};
  DualSlopes& s = result.slopes;
  double power = 1, before = 0;  // ρ^k, ρ^{k-1}
  for (Index k = 0; k < orders; ++k) {
    const double n = static_cast<double>(k);
    const auto a = [&](Index shift) { return left.coefficients(i, k + shift); };
    const auto b = [&](Index shift) { return right.coefficients(j, k + shift); };
    s.covariance += n * a(0) * b(0) * before;
    s.mean_u += std::sqrt(n + 1) * a(1) * b(0) * power;
    s.mean_v += std::sqrt(n + 1) * a(0) * b(1) * power;
    s.variance_u += std::sqrt((n + 1) * (n + 2)) * a(2) * b(0) * power;
    s.variance_v += std::sqrt((n + 1) * (n + 2)) * a(0) * b(2) * power;
    before = power;
    power *= rho;
    // coefficients of the derivatives are those of the functions times k, at most
    if (left.tails(i, k) * right.tails(j, k) * (n + 2) * (n + 2) * std::abs(power) <
        largest_slope_remainder) {
      result.converged = true;
      break;
    }
  }
  result.converged = result.converged && norms < std::numeric_limits<double>::infinity();
  s.covariance /= deviation_u * deviation_v;
  s.mean_u /= deviation_u;
  s.mean_v /= deviation_v;
  s.variance_u /= 2 * deviation_u * deviation_u;
  s.variance_v /= 2 * deviation_v * deviation_v;
  return result;
}

}  // namespace

MeanSlopes mean_slopes(const Activation& phi, const Marginal& u) {
  if (u.variance == 0) return {};
  const auto moment = [&](int k) { return mean(weighted(phi, u, k), u.mean, u.variance).value; };
  return {moment(1) / u.variance, 0.5 * (moment(2) / u.variance - moment(0)) / u.variance};
}

MeanSlopes same_column_slopes(const Activation& phi, const Activation& psi, const Marginal& u) {
  return mean_slopes(product_of(phi, psi, u), u);
}

struct SlopesOfDual::Method {
  const Activation phi, psi;
  const std::vector<Marginal> rows, columns;
  const bool with_means;
  std::optional<ClosedForm> form;
  HermiteTable left, right;  // 0×0: not needed

  DualSlopes of_closed_form(Index i, Index j, double c) const {
    const Normal u = exact_normal(rows[static_cast<std::size_t>(i)]);
    const Normal v = exact_normal(columns[static_cast<std::size_t>(j)]);
    const Moment moment = std::visit(
        [&](const auto& f) {
          return f.moment(f.row(u), f.column(v), Estimate{c, 0});
        },
        *form);
    DualSlopes result{moment.slope_c, moment.slope_a, moment.slope_b, moment.slope_mean_u,
                      moment.slope_mean_v};
    if (std::holds_alternative<HomogeneousPair>(*form)) {
      const HomogeneousForm f = *homogeneous_form(phi), g = *homogeneous_form(psi);
      if (f.power == 0 || g.power == 0) {  // bounds there go by angles, and need no slopes
        result.covariance = homogeneous_covariance_slope(f, g, u, v, c);
        result.variance_u = (f.power * moment.value - c * result.covariance) / (2 * u.variance.value);
        result.variance_v = (g.power * moment.value - c * result.covariance) / (2 * v.variance.value);
      }
    }
    if (!with_means) return result;
    if (std::holds_alternative<HomogeneousPair>(*form)) {
      const HomogeneousForm f = *homogeneous_form(phi), g = *homogeneous_form(psi);
      result.mean_u = homogeneous_mean_slope(f, g, u, v, c);
      result.mean_v = homogeneous_mean_slope(g, f, v, u, c);
    } else if (left.orders() > 0) {
      const DualSlopes general = without_form(i, j, c);
      result.mean_u = general.mean_u;
      result.mean_v = general.mean_v;
    }
    return result;
  }

  DualSlopes without_form(Index i, Index j, double c) const {
    const Marginal& u = rows[static_cast<std::size_t>(i)];
    const Marginal& v = columns[static_cast<std::size_t>(j)];
    const Series series = by_series(left, i, std::sqrt(u.variance), right, j, std::sqrt(v.variance), c);
    return series.converged ? series.slopes : by_score(phi, psi, u, v, c);
  }
};

SlopesOfDual::SlopesOfDual(const Activation& phi, const Activation& psi, const std::vector<Marginal>& rows,
                           const std::vector<Marginal>& columns, bool with_means) {
  const auto no_mean = [](const Marginal& u) { return u.mean == 0; };
  const bool zero_means =
      std::all_of(rows.begin(), rows.end(), no_mean) && std::all_of(columns.begin(), columns.end(), no_mean);
  auto method = std::make_unique<Method>(Method{phi, psi, rows, columns, with_means, {}, {}, {}});
  method->form = closed_form(phi, psi, zero_means ? Means::zero : Means::any);
  const bool lacks_means = method->form && (std::holds_alternative<ArcsinePair>(*method->form) ||
                                            std::holds_alternative<GeluPair>(*method->form));
  if (!method->form || (with_means && lacks_means)) {
    const auto table = [](const Activation& f, const std::vector<Marginal>& marginals) {
      std::vector<Normal> normals;
      for (const Marginal& u : marginals) normals.push_back(exact_normal(u));
      return hermite_table(f, normals, usual_orders);
    };
    method->left = table(phi, rows);
    method->right = table(psi, columns);
  }
  method_ = std::move(method);
}

SlopesOfDual::~SlopesOfDual() = default;

DualSlopes SlopesOfDual::at(Index i, Index j, double c) const {
  const double a = method_->rows[static_cast<std::size_t>(i)].variance;
  const double b = method_->columns[static_cast<std::size_t>(j)].variance;
  if (a == 0 || b == 0) {
    // E[φ(u)] E[ψ(v)], one of them a constant
    DualSlopes result;
    const Marginal& u = method_->rows[static_cast<std::size_t>(i)];
    const Marginal& v = method_->columns[static_cast<std::size_t>(j)];
    if (a > 0) {
      const MeanSlopes slopes = mean_slopes(method_->phi, u);
      const double constant = evaluate(method_->psi, v.mean);
      result.mean_u = constant * slopes.mean;
      result.variance_u = constant * slopes.variance;
    } else if (b > 0) {
      const MeanSlopes slopes = mean_slopes(method_->psi, v);
      const double constant = evaluate(method_->phi, u.mean);
      result.mean_v = constant * slopes.mean;
      result.variance_v = constant * slopes.variance;
    }
    return result;
  }
  return method_->form ? method_->of_closed_form(i, j, c) : method_->without_form(i, j, c);
}

}  // namespace nngpcheck::analytic
