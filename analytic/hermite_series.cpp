#include "analytic/hermite_series.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <map>

#include "analytic/quadrature.hpp"

namespace nngpcheck::analytic {

namespace {

using Kronrod = boost::math::quadrature::gauss_kronrod<double, 31>;
using Gauss = boost::math::quadrature::gauss<double, 15>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr Eigen::Index chunk = 32;                // coefficients are computed so many at a time
constexpr double negligible_remainder = 1e-14;    // product of two tails
constexpr double largest_relative_error = 1e-12;  // of usable coefficients
constexpr std::size_t cached_bases = 16;

/// Nodes x, their weights times the normal density, and h_k(x), k = 0, 1, ...
class HermiteBasis {
 public:
  explicit HermiteBasis(const std::vector<double>& ends) {
    const auto& abscissae = Kronrod::abscissa();
    const Eigen::Index panels = static_cast<Eigen::Index>(ends.size()) - 1;
    const Eigen::Index points = 2 * static_cast<Eigen::Index>(abscissae.size()) - 1;
    nodes_.resize(panels * points);
    weights_.resize(panels * points, 2);
    Eigen::Index n = 0;
    for (std::size_t panel = 0; panel + 1 < ends.size(); ++panel) {
      const double centre = 0.5 * (ends[panel] + ends[panel + 1]);
      const double half = 0.5 * (ends[panel + 1] - ends[panel]);
      for (std::size_t i = 0; i < abscissae.size(); ++i) {
        for (const double sign : {-1.0, 1.0}) {
          if (i == 0 && sign > 0) continue;
          const double x = centre + sign * half * abscissae[i];
          const double scale = half * normal_density(x);
          nodes_(n) = x;
          weights_(n, 0) = scale * Kronrod::weights()[i];
          weights_(n, 1) = i % 2 == 0 ? scale * Gauss::weights()[i / 2] : 0;
          ++n;
        }
      }
    }
    values_.resize(largest_orders, nodes_.size());
    values_.row(0).setOnes();
    values_.row(1) = nodes_.transpose();
    filled_ = 2;
  }

  const Eigen::VectorXd& nodes() const { return nodes_; }
  const Eigen::MatrixX2d& weights() const { return weights_; }  // Kronrod's, Gauss's

  /// h_k at the nodes for k = first, ..., first + chunk - 1.
  auto rows(Eigen::Index first) {
    for (; filled_ < first + chunk; ++filled_) {
      const double k = static_cast<double>(filled_);
      values_.row(filled_) = (nodes_.transpose().cwiseProduct(values_.row(filled_ - 1)) -
                              std::sqrt(k - 1) * values_.row(filled_ - 2)) /
                             std::sqrt(k);
    }
    return values_.middleRows(first, chunk);
  }

 private:
  Eigen::VectorXd nodes_;
  Eigen::MatrixX2d weights_;
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> values_;
  Eigen::Index filled_ = 0;
};

/// Panels for φ(mean + deviation x) h_k(x). Widths are rounded to powers of two, so that columns of similar
/// variance share their panels, and with them the basis.
std::vector<double> panel_ends(const netsor::Activation& phi, double mean, double deviation) {
  std::vector<double> ends = {-20, -13, 13, 20};
  for (int x = -10; x <= 10; ++x) ends.push_back(x);
  for (const Feature& feature : features(phi, mean, deviation)) {
    if (!(std::abs(feature.centre) < 20)) continue;
    ends.push_back(feature.centre);
    if (feature.width <= 0) continue;
    const double width = std::exp2(std::floor(std::log2(feature.width)));
    for (double distance = width; distance < 1; distance *= 4) {
      ends.push_back(feature.centre - distance);
      ends.push_back(feature.centre + distance);
    }
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

/// The table's rows, filled one marginal at a time.
class TableBuilder {
 public:
  TableBuilder(const netsor::Activation& phi, Eigen::Index size, Eigen::Index orders)
      : phi_(phi), orders_(orders) {
    table_.coefficients = Eigen::MatrixXd::Zero(size, orders);
    table_.tails = Eigen::MatrixXd::Ones(size, orders);
    table_.norm = table_.error = table_.gradient = table_.curvature = Eigen::VectorXd::Zero(size);
    table_.square.resize(static_cast<std::size_t>(size));
    table_.usable.assign(static_cast<std::size_t>(size), false);
  }

  void copy(Eigen::Index from, Eigen::Index to) {
    table_.coefficients.row(to) = table_.coefficients.row(from);
    table_.tails.row(to) = table_.tails.row(from);
    for (auto* vector : {&table_.norm, &table_.error, &table_.gradient, &table_.curvature}) {
      (*vector)(to) = (*vector)(from);
    }
    table_.square[to] = table_.square[from];
    table_.usable[to] = table_.usable[from];
  }

  void expand(Eigen::Index i, double mean, double deviation) {
    HermiteBasis& basis = basis_for(panel_ends(phi_, mean, deviation));
    const Eigen::VectorXd& nodes = basis.nodes();
    Eigen::VectorXd values(nodes.size());
    for (Eigen::Index n = 0; n < nodes.size(); ++n) values(n) = evaluate(phi_, mean + deviation * nodes(n));
    const Eigen::MatrixX2d weighted = basis.weights().array().colwise() * values.array();
    const Eigen::ArrayX2d squares = weighted.array().colwise() * values.array();
    const double square = squares.col(0).sum();
    const double edge =
        std::max(values(0) * values(0) * normal_density(nodes(0)),
                 values(values.size() - 1) * values(values.size() - 1) * normal_density(nodes(0)));
    if (!std::isfinite(square) || edge > 1e-20 * square) return;
    Moment& moment = table_.square[i];
    moment.value = square;
    moment.rounding = std::abs(square - squares.col(1).sum()) + 8 * epsilon * square;
    moment.slope_mean_u = (squares.col(0) * nodes.array()).sum() / deviation;
    moment.slope_a = (squares.col(0) * (nodes.array().square() - 1)).sum() / (2 * deviation * deviation);
    double rest = square;
    double gap = 0;
    for (Eigen::Index first = 0; first < orders_; first += chunk) {
      const Eigen::Matrix<double, chunk, 2> both = basis.rows(first) * weighted;
      gap += (both.col(0) - both.col(1)).squaredNorm();
      rest = accept(i, first, both.col(0), square, rest);
    }
    table_.norm(i) = std::sqrt(square);
    table_.error(i) =
        std::sqrt(gap) + 4 * epsilon * table_.norm(i) + undeclared_error(mean, deviation, square);
    table_.gradient(i) = std::sqrt(table_.gradient(i));
    table_.curvature(i) = std::sqrt(table_.curvature(i));
    table_.usable[i] = table_.error(i) <= largest_relative_error * table_.norm(i);
  }

  HermiteTable finish() { return std::move(table_); }

 private:
  /// An undeclared kink of a user's function may hide between the outermost nodes of two panels: another
  /// partition, adaptive, sees it.
  double undeclared_error(double mean, double deviation, double square) const {
    if (phi_.breakpoints(-40, 40).complete) return 0;
    const Estimate other = quadrature_square(phi_, mean, deviation * deviation).estimate;
    return std::abs(other.value - square);
  }

  HermiteBasis& basis_for(const std::vector<double>& ends) {
    if (bases_.size() >= cached_bases && !bases_.contains(ends)) bases_.clear();
    return bases_.try_emplace(ends, ends).first->second;
  }

  /// Stores coefficients first, first + 1, ... and what they leave of E[φ²], which is returned.
  double accept(Eigen::Index i, Eigen::Index first, const Eigen::Matrix<double, chunk, 1>& coefficients,
                double square, double rest) {
    const double rounding = 16 * epsilon * square;
    for (Eigen::Index n = 0; n < chunk; ++n) {
      const Eigen::Index k = first + n;
      const double a = coefficients(n);
      rest = std::max(rest - a * a, 0.0);
      table_.coefficients(i, k) = a;
      table_.tails(i, k) = square > 0 ? std::sqrt((rest + rounding) / square) : 0;
      table_.gradient(i) += static_cast<double>(k) * a * a;
      table_.curvature(i) += static_cast<double>(k * (k - 1)) * a * a;
    }
    return rest;
  }

  const netsor::Activation& phi_;
  Eigen::Index orders_;
  HermiteTable table_;
  std::map<std::vector<double>, HermiteBasis> bases_;
};

}  // namespace

HermiteTable hermite_table(const netsor::Activation& phi, const std::vector<Normal>& marginals,
                           Eigen::Index orders) {
  const Eigen::Index size = static_cast<Eigen::Index>(marginals.size());
  TableBuilder builder(phi, size, std::min(largest_orders, (orders + chunk - 1) / chunk * chunk));
  std::map<std::pair<double, double>, Eigen::Index> known;
  for (Eigen::Index i = 0; i < size; ++i) {
    const double mean = marginals[i].mean.value;
    const double variance = marginals[i].variance.value;
    if (variance == 0) continue;
    const auto [found, is_new] = known.try_emplace({mean, variance}, i);
    if (is_new) {
      builder.expand(i, mean, std::sqrt(variance));
    } else {
      builder.copy(found->second, i);
    }
  }
  return builder.finish();
}

Eigen::Index sufficient_orders(const netsor::Activation& phi, const std::vector<Normal>& rows,
                               const netsor::Activation& psi, const std::vector<Normal>& columns) {
  const auto by_variance = [](const Normal& x, const Normal& y) {
    return x.variance.value < y.variance.value;
  };
  if (rows.empty() || columns.empty()) return chunk;
  const Normal& row = *std::max_element(rows.begin(), rows.end(), by_variance);
  const Normal& column = *std::max_element(columns.begin(), columns.end(), by_variance);
  const HermiteTable left = hermite_table(phi, {row}, largest_orders);
  const HermiteTable right = hermite_table(psi, {column}, largest_orders);
  for (Eigen::Index k = 0; k < largest_orders; ++k) {
    if (left.tails(0, k) * right.tails(0, k) <= negligible_remainder) return k + 1;
  }
  return largest_orders;
}

}  // namespace nngpcheck::analytic
