#include "nngpcheck/analytic/gaussian/hermite_series.hpp"

#include <algorithm>
#include <bit>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <list>
#include <map>
#include <mutex>

#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/gaussian/profile.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using Kronrod = boost::math::quadrature::gauss_kronrod<double, 31>;
using Gauss = boost::math::quadrature::gauss<double, 15>;

constexpr Eigen::Index chunk = 32;          // coefficients are computed so many at a time
constexpr double negligible_tails = 1e-12;  // product of the tails that rounding leaves at the last order
constexpr double smooth_tails =
    1e-10;  // t_k² at which k² t_k², missing in the curvature, is small: 7e-6 at 256
constexpr double largest_relative_error = 1e-12;  // of usable coefficients
constexpr Eigen::Index most_kept_orders = 1024;
constexpr Eigen::Index points = 31;                         // of a panel
constexpr Eigen::Index largest_cache = 1 << 25;             // numbers in bases that are kept
constexpr Eigen::Index largest_basis = 1 << 24;             // numbers in one
constexpr std::size_t largest_kept = std::size_t{1} << 26;  // numbers in rows that are kept
constexpr Eigen::Index largest_work = 1 << 28;  // nodes × orders of one marginal, a second or less

/// √k is the local frequency of h_k: half a panel sees at most 8 of its radians, which 15 Gauss points
/// resolve.
double widest_panel(Eigen::Index orders) {
  return std::exp2(std::floor(std::log2(16 / std::sqrt(static_cast<double>(orders)))));
}

/// Nodes x, their weights times the normal density, and h_k(x), k = 0, 1, ... The usual orders, and more
/// where there are few nodes, are kept for the next marginal; others are made anew each time.
class HermiteBasis {
 public:
  explicit HermiteBasis(const std::vector<double>& ends) {
    const auto& abscissae = Kronrod::abscissa();
    const Eigen::Index panels = static_cast<Eigen::Index>(ends.size()) - 1;
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
    const Eigen::Index fitting = largest_basis / nodes_.size() / chunk * chunk;
    kept_.resize(std::clamp(fitting, usual_orders, most_kept_orders), nodes_.size());
    kept_.row(0).setOnes();
    kept_.row(1) = nodes_.transpose();
    filled_ = 2;
  }

  const Eigen::VectorXd& nodes() const { return nodes_; }
  const Eigen::MatrixX2d& weights() const { return weights_; }  // Kronrod's, Gauss's

  /// h_k at the nodes for k = first, ..., first + chunk - 1, where first = 0, chunk, 2 chunk, ... one after
  /// the other.
  Eigen::Ref<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> rows(
      Eigen::Index first) {
    if (first < kept_.rows()) {
      for (; filled_ < first + chunk; ++filled_) recur(kept_, filled_, filled_);
      return kept_.middleRows(first, chunk);
    }
    if (first == kept_.rows()) {
      fresh_.resize(chunk + 2, nodes_.size());
      fresh_.topRows(2) = rows(first - chunk).bottomRows(2);
    } else {
      fresh_.topRows(2) = fresh_.bottomRows(2).eval();
    }
    for (Eigen::Index n = 0; n < chunk; ++n) recur(fresh_, n + 2, first + n);
    return fresh_.bottomRows(chunk);
  }

 private:
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  /// h_k from the two rows above.
  void recur(Rows& values, Eigen::Index row, Eigen::Index order) const {
    const double k = static_cast<double>(order);
    values.row(row) =
        (nodes_.transpose().cwiseProduct(values.row(row - 1)) - std::sqrt(k - 1) * values.row(row - 2)) /
        std::sqrt(k);
  }

  Eigen::VectorXd nodes_;
  Eigen::MatrixX2d weights_;
  Rows kept_, fresh_;
  Eigen::Index filled_ = 0;
};

/// Panels for φ(mean + deviation x) h_k(x), no wider than `widest`. Widths are rounded to powers of two, so
/// that columns of similar variance share their panels, and with them the basis.
std::vector<double> panel_ends(const Profile& phi, double widest) {
  std::vector<double> ends = {-20, -13, 13, 20};
  const double far = widest < 1 ? 13 : 10;
  for (double x = -far; x <= far; x += widest) ends.push_back(x);
  for (const Feature& feature : phi.features()) {
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

/// E[φ²] on such panels, halved until they resolve φ.
Integral resolved_square(const Profile& phi, Eigen::Index orders) {
  QuadratureOptions options = phi.options();
  options.square = true;
  options.largest_work = std::min(largest_work / orders, largest_basis / usual_orders);
  return gaussian_integral_on(panel_ends(phi, widest_panel(orders)), std::cref(phi), options);
}

/// One marginal's row of a table.
struct Row {
  Eigen::VectorXd coefficients, tails;
  double norm = 0, error = 0, gradient = 0, curvature = 0;
  Moment square = {};
  bool usable = false;

  explicit Row(Eigen::Index orders)
      : coefficients(Eigen::VectorXd::Zero(orders)), tails(Eigen::VectorXd::Ones(orders)) {}
};

/// Fills rows, one after the other, and keeps the bases for the next.
class Expander {
 public:
  Row row(const Profile& phi, Eigen::Index orders) {
    Row result(orders);
    expand(result, phi);
    return result;
  }

 private:
  void expand(Row& row, const Profile& phi) {
    const Eigen::Index orders = row.coefficients.size();
    const Integral integral = resolved_square(phi, orders);
    const double square = integral.estimate.value;
    if (!std::isfinite(square) || !integral.converged) return;
    HermiteBasis& basis = basis_for(integral.ends);
    const Eigen::VectorXd& nodes = basis.nodes();
    Eigen::VectorXd values(nodes.size());
    for (Eigen::Index n = 0; n < nodes.size(); ++n) values(n) = phi(nodes(n));
    const Eigen::MatrixX2d weighted = basis.weights().array().colwise() * values.array();
    const Eigen::ArrayXd squares = weighted.col(0).array() * values.array();
    const Eigen::Index last = nodes.size() - 1;
    const double edge =
        normal_density(nodes(0)) * std::max(values(0) * values(0), values(last) * values(last));
    // E[φ²] may have mass beyond the last panel, and all of it where none is before.
    if (square == 0 || edge > epsilon * epsilon * square) return;
    Moment& moment = row.square;
    const double deviation = phi.deviation();
    const double norm = std::sqrt(square);
    moment.value = square;
    moment.rounding = integral.estimate.bound;
    moment.slope_mean_u = (squares * nodes.array()).sum() / deviation;
    moment.slope_a = (squares * (nodes.array().square() - 1)).sum() / (2 * deviation * deviation);
    double rest = square;
    double gap = 0;
    const double rounding =
        integral.estimate.bound + 2 * (integral.noise + norm * sum_rounding(orders)) * norm;
    for (Eigen::Index first = 0; first < orders; first += chunk) {
      const auto rows = basis.rows(first);
      Eigen::Matrix<double, chunk, 2> both;
      for (const Eigen::Index rule : {0, 1}) both.col(rule).noalias() = rows * weighted.col(rule);
      gap += (both.col(0) - both.col(1)).squaredNorm();
      rest = accept(row, first, both.col(0), square, rest, rounding);
    }
    row.norm = norm;
    // By Bessel's inequality, the values' errors change the coefficients by no more than their own norm. The
    // recurrence and the sum of each coefficient add roundings of their own.
    row.error = std::sqrt(gap) + integral.noise + norm * sum_rounding(orders);
    row.gradient = std::sqrt(row.gradient);
    row.curvature = std::sqrt(row.curvature);
    row.usable = row.error <= largest_relative_error * norm;
  }

  /// Of all coefficients together, relative to the norm: each one's is a few ε, and they are independent.
  static double sum_rounding(Eigen::Index orders) {
    return 4 * epsilon * std::sqrt(static_cast<double>(orders));
  }

  HermiteBasis& basis_for(const std::vector<double>& ends) {
    if (bases_.contains(ends)) return bases_.at(ends);
    cached_ += std::min(points * static_cast<Eigen::Index>(ends.size()) * most_kept_orders, largest_basis);
    if (cached_ > largest_cache) {
      bases_.clear();
      cached_ = 0;
    }
    return bases_.try_emplace(ends, ends).first->second;
  }

  /// Stores coefficients first, first + 1, ... and what they leave of E[φ²], which is returned.
  static double accept(Row& row, Eigen::Index first, const Eigen::Matrix<double, chunk, 1>& coefficients,
                       double square, double rest, double rounding) {
    for (Eigen::Index n = 0; n < chunk; ++n) {
      const Eigen::Index k = first + n;
      const double a = coefficients(n);
      rest = std::max(rest - a * a, 0.0);
      row.coefficients(k) = a;
      row.tails(k) = square > 0 ? std::sqrt((rest + rounding) / square) : 0;
      row.gradient += static_cast<double>(k) * a * a;
      row.curvature += static_cast<double>(k * (k - 1)) * a * a;
    }
    return rest;
  }

  std::map<std::vector<double>, HermiteBasis> bases_;
  Eigen::Index cached_ = 0;  // numbers in them
};

void set(HermiteTable& table, Eigen::Index i, const Row& row) {
  table.coefficients.row(i) = row.coefficients.transpose();
  table.tails.row(i) = row.tails.transpose();
  table.norm(i) = row.norm;
  table.error(i) = row.error;
  table.gradient(i) = row.gradient;
  table.curvature(i) = row.curvature;
  table.square[static_cast<std::size_t>(i)] = row.square;
  table.usable[static_cast<std::size_t>(i)] = row.usable;
}

}  // namespace

struct HermiteTables::Kept {
  using Law = std::pair<double, double>;  // mean and variance
  using Rows = std::map<Law, std::shared_ptr<const Row>>;

  struct Function {
    netsor::Activation phi;
    Eigen::Index orders;
    Rows rows;
  };

  std::mutex mutex;
  std::list<Function> functions;
  std::vector<std::unique_ptr<Expander>> idle;
  std::size_t numbers = 0;

  Rows& rows_of(const netsor::Activation& phi, Eigen::Index orders) {
    for (Function& function : functions) {
      if (function.orders == orders && function.phi == phi) return function.rows;
    }
    return functions.emplace_back(phi, orders, Rows{}).rows;
  }

  std::unique_ptr<Expander> expander() {
    if (idle.empty()) return std::make_unique<Expander>();
    std::unique_ptr<Expander> result = std::move(idle.back());
    idle.pop_back();
    return result;
  }

  void keep(Rows& rows, const Rows& added, Eigen::Index orders) {
    numbers += 2 * static_cast<std::size_t>(orders) * added.size();
    if (numbers > largest_kept) {
      for (Function& function : functions) function.rows.clear();
      numbers = 0;
    }
    rows.insert(added.begin(), added.end());
  }
};

HermiteTables::HermiteTables() : kept_(std::make_unique<Kept>()) {}
HermiteTables::~HermiteTables() = default;

HermiteTable HermiteTables::table(const netsor::Activation& phi, const std::vector<Normal>& marginals,
                                  Eigen::Index orders) {
  orders = std::clamp(static_cast<Eigen::Index>(std::bit_ceil(static_cast<std::uint64_t>(orders))), chunk,
                      largest_orders);
  const auto law = [](const Normal& x) { return Kept::Law(x.mean.value, x.variance.value); };
  Kept::Rows rows;  // those of these marginals
  std::unique_ptr<Expander> expander;
  {
    const std::lock_guard lock(kept_->mutex);
    const Kept::Rows& known = kept_->rows_of(phi, orders);
    for (const Normal& x : marginals) {
      const auto found = known.find(law(x));
      rows.try_emplace(law(x), found == known.end() ? nullptr : found->second);
    }
    expander = kept_->expander();
  }
  Kept::Rows added;
  for (auto& [mean_and_variance, row] : rows) {
    const auto [mean, variance] = mean_and_variance;
    if (row || variance == 0) continue;
    row = std::make_shared<const Row>(expander->row(Profile(phi, mean, std::sqrt(variance)), orders));
    added.emplace(mean_and_variance, row);
  }
  {
    const std::lock_guard lock(kept_->mutex);
    kept_->keep(kept_->rows_of(phi, orders), added, orders);
    kept_->idle.push_back(std::move(expander));
  }

  const Eigen::Index size = std::ssize(marginals);
  HermiteTable table;
  table.coefficients.resize(size, orders);
  table.tails.resize(size, orders);
  for (Eigen::VectorXd* numbers : {&table.norm, &table.error, &table.gradient, &table.curvature})
    numbers->resize(size);
  table.square.resize(marginals.size());
  table.usable.resize(marginals.size());
  const Row none(orders);
  for (Eigen::Index i = 0; i < size; ++i) {
    const std::shared_ptr<const Row>& row = rows.at(law(marginals[static_cast<std::size_t>(i)]));
    set(table, i, row ? *row : none);
  }
  return table;
}

HermiteTable hermite_table(const netsor::Activation& phi, const std::vector<Normal>& marginals,
                           Eigen::Index orders) {
  return HermiteTables().table(phi, marginals, orders);
}

std::optional<Eigen::Index> sufficient_orders(HermiteTables& tables, const netsor::Activation& phi,
                                              const std::vector<Normal>& rows, const netsor::Activation& psi,
                                              const std::vector<Normal>& columns, double correlation) {
  const auto by_variance = [](const Normal& x, const Normal& y) {
    return x.variance.value < y.variance.value;
  };
  if (rows.empty() || columns.empty()) return chunk;
  const Normal& row = *std::max_element(rows.begin(), rows.end(), by_variance);
  const Normal& column = *std::max_element(columns.begin(), columns.end(), by_variance);
  if (row.variance.value == 0 || column.variance.value == 0) return chunk;
  const auto has_kinks = [](const netsor::Activation& f, const Normal& x) {
    return !Profile(f, x.mean.value, std::sqrt(x.variance.value)).kinks().empty();
  };
  const bool same =
      phi == psi && row.mean.value == column.mean.value && row.variance.value == column.variance.value;
  for (Eigen::Index orders = usual_orders; orders <= largest_orders; orders *= 2) {
    if (orders > usual_orders && (has_kinks(phi, row) || has_kinks(psi, column))) break;
    const HermiteTable left = tables.table(phi, {row}, orders);
    const HermiteTable right = same ? left : tables.table(psi, {column}, orders);
    const auto remainder = [&](Eigen::Index k) { return left.tails(0, k) * right.tails(0, k); };
    const double least = remainder(orders - 1);
    const double negligible =  // or about as little as rounding leaves
        least > negligible_tails ? negligible_remainder : std::max(negligible_remainder, 1.5 * least);
    double power = correlation;
    for (Eigen::Index k = 0; k < orders; ++k, power *= correlation) {
      if (remainder(k) <= std::max(negligible, smooth_tails) && remainder(k) * power <= negligible)
        return k + 1;
    }
  }
  return {};
}

double table_work(Eigen::Index orders) {
  const double nodes = static_cast<double>(points) * 20 / widest_panel(orders);
  return 4 * nodes * static_cast<double>(orders);  // a recurrence, and two products
}

}  // namespace nngpcheck::analytic
