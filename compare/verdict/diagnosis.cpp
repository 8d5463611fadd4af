#include "nngpcheck/compare/verdict/diagnosis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/verdict/check_input.hpp"
#include "nngpcheck/compare/verdict/check_round.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double fit_level = 0.01;  // at which the right explanation is not accepted
constexpr double most_left = 0.2;   // of the largest error, in what an explanation may leave
constexpr double interval_tail = 0.005;
constexpr Index most_swapped = 64;  // inputs, of whom all pairs are tried
constexpr double unit_diagonal = 1e-6;

/// Whether what an explanation leaves of each entry is 0, as far as networks tell, and little for sure.
class Test {
 public:
  Test(const Target& target, const Sample& fresh, const VectorXd& own_errors)
      : target_(target),
        own_errors_(own_errors),
        quantile_(student_quantile(fit_level / (2 * static_cast<double>(target.entries())), fresh.degrees())),
        error_(fresh.statistics.mean.cwiseAbs().cwiseQuotient(target.scale).maxCoeff()) {}

  /// Entry e's |t| is within Student's quantile.
  bool is_zero(Index e, double mean, double standard_error) const {
    return std::abs(excess(mean, own_errors_(e))) <= quantile_ * at_least_rounding(e, standard_error);
  }
  bool is_little(Index e, double mean, double standard_error) const {
    return (std::abs(mean) + quantile_ * at_least_rounding(e, standard_error)) <=
           most_left * error_ * target_.scale(e);
  }
  bool is_right(Index e, double mean, double standard_error) const {
    return is_zero(e, mean, standard_error) && is_little(e, mean, standard_error);
  }
  bool fits(const VectorXd& mean, const VectorXd& standard_error) const {
    for (Index e = 0; e < mean.size(); ++e) {
      if (!is_right(e, mean(e), standard_error(e))) return false;
    }
    return true;
  }
  bool fits(const MatrixXd& rows) const {
    const ColumnStatistics statistics = column_statistics(rows);
    return fits(statistics.mean, statistics.standard_error);
  }

 private:
  double at_least_rounding(Index e, double standard_error) const {
    return std::max(standard_error, target_.deterministic * target_.scale(e));
  }

  const Target& target_;
  const VectorXd& own_errors_;
  double quantile_;
  double error_;  // the largest of the given kernel, in units of √(K_aa K_bb)
};

/// The kernel of the inputs in another order; its entries, in that of the upper triangle.
VectorXd reordered(const VectorXd& entries, const std::vector<Index>& order) {
  return upper_triangle(MatrixXd(symmetric_matrix(entries)(order, order)));
}

class Diagnostics {
 public:
  Diagnostics(const Sample& fresh, const Target& target, const VectorXd& own_errors,
              const std::vector<Index>& groups)
      : fresh_(fresh),
        target_(target),
        test_(target, fresh, own_errors),
        estimates_(fresh.differences.rowwise() + target.value.transpose()) {
    for (const Index input : target.inputs) {
      if (!groups.empty()) groups_.push_back(groups[static_cast<std::size_t>(input)]);
    }
    const VectorXd& se = fresh.statistics.standard_error;
    weights_ = (se.array().square() + (1e-3 * target.scale).array().square()).inverse();
  }

  std::optional<Diagnosis> find() const {
    std::vector<Diagnosis> fitting;
    for (const auto& one : {factor(), constant(), correlation(), swap()}) {
      if (one) fitting.push_back(*one);
    }
    if (fitting.size() == 1) return fitting.front();
    if (!fitting.empty()) return {};
    if (const auto one = off_diagonal()) return one;
    if (const auto one = row()) return one;
    return group();
  }

 private:
  /// The mean over ladders of one number of each, with its interval.
  Diagnosis measured(DiagnosisKind kind, const VectorXd& of_ladders) const {
    const ColumnStatistics statistics = column_statistics(of_ladders);
    const double mean = statistics.mean(0);
    const double half = student_quantile(interval_tail, fresh_.degrees()) * statistics.standard_error(0);
    return {kind, mean, mean - half, mean + half, {}, ""};
  }

  /// G = f K: each ladder's g with Y ≈ g G, by least squares; f = 1/g.
  std::optional<Diagnosis> factor() const {
    const VectorXd weighted = weights_.cwiseProduct(target_.value);
    const VectorXd g = estimates_ * weighted / weighted.dot(target_.value);
    if (target_.entries() < 2 || !test_.fits(estimates_ - g * target_.value.transpose())) return {};
    Diagnosis result = measured(DiagnosisKind::factor, g);
    if (!(result.lower > 0)) return {};
    result.value = 1 / result.value;
    std::tie(result.lower, result.upper) = std::pair(1 / result.upper, 1 / result.lower);
    result.text = fmt::format("every entry is {} the networks'", with_interval(result, " times"));
    return result;
  }

  /// G = K + c.
  std::optional<Diagnosis> constant() const {
    const VectorXd c = -fresh_.differences * weights_ / weights_.sum();
    if (target_.entries() < 2 || !test_.fits(fresh_.differences.colwise() + c)) return {};
    Diagnosis result = measured(DiagnosisKind::constant, c);
    Diagnosis size = result;
    if (result.value < 0) size.value = -result.value, size.lower = -result.upper, size.upper = -result.lower;
    result.text = fmt::format("every entry is {} too {}", with_interval(size, ""),
                              result.value < 0 ? "small" : "large");
    return result;
  }

  /// K_ab − G_ab √(K_aa K_bb), to first order in the networks' deviations.
  std::optional<Diagnosis> correlation() const {
    const Index m = std::ssize(target_.inputs);
    const VectorXd mean = estimates_.colwise().mean();
    const auto diagonal = [](Index i) { return i * (i + 3) / 2; };
    MatrixXd rest = estimates_;
    for (Index e = 0; e < target_.entries(); ++e) {
      const EntryPosition at = entry_position(e);
      const Index a = diagonal(at.row), b = diagonal(at.column);
      if (std::abs(target_.value(a) - 1) > unit_diagonal || !(mean(a) > 0) || !(mean(b) > 0)) return {};
      const double ratio = std::sqrt(mean(b) / mean(a));
      rest.col(e) -= 0.5 * target_.value(e) * (ratio * estimates_.col(a) + estimates_.col(b) / ratio);
    }
    if (m < 2 || !test_.fits(rest)) return {};
    return Diagnosis{
        DiagnosisKind::correlation, 0, 0, 0, {}, "its entries are the correlations of the networks' kernel"};
  }

  std::optional<Diagnosis> swap() const {
    const Index m = std::ssize(target_.inputs);
    if (m > most_swapped) return {};
    std::vector<Diagnosis> fitting;
    for (Index i = 0; i < m; ++i) {
      for (Index j = i + 1; j < m; ++j) try_swap({i}, {j}, fitting);
    }
    std::map<Index, std::vector<Index>> members;
    for (Index i = 0; i < std::ssize(groups_); ++i)
      members[groups_[static_cast<std::size_t>(i)]].push_back(i);
    for (auto first = members.begin(); first != members.end(); ++first) {
      for (auto second = std::next(first); second != members.end(); ++second) {
        if (first->second.size() > 1 && first->second.size() == second->second.size())
          try_swap(first->second, second->second, fitting);
      }
    }
    if (fitting.size() != 1) return {};
    return fitting.front();
  }

  void try_swap(const std::vector<Index>& first, const std::vector<Index>& second,
                std::vector<Diagnosis>& fitting) const {
    std::vector<Index> order(target_.inputs.size());
    for (Index i = 0; i < std::ssize(order); ++i) order[static_cast<std::size_t>(i)] = i;
    for (std::size_t k = 0; k < first.size(); ++k)
      std::swap(order[static_cast<std::size_t>(first[k])], order[static_cast<std::size_t>(second[k])]);
    const VectorXd mean = fresh_.statistics.mean + target_.value - reordered(target_.value, order);
    if (!test_.fits(mean, fresh_.statistics.standard_error)) return;
    std::vector<Index> inputs = positions(first);
    for (const Index input : positions(second)) inputs.push_back(input);
    const auto half = static_cast<std::ptrdiff_t>(first.size());
    fitting.push_back(
        {DiagnosisKind::swap, 0, 0, 0, inputs,
         fmt::format("{} and {} stand in each other's place", names({inputs.begin(), inputs.begin() + half}),
                     names({inputs.begin() + half, inputs.end()}))});
  }

  std::optional<Diagnosis> off_diagonal() const {
    Index right = 0, wrong = 0;
    for (Index e = 0; e < target_.entries(); ++e) {
      const EntryPosition at = entry_position(e);
      if (at.row == at.column && !right_as_given(e)) return {};
      if (at.row != at.column) ++(wrong_as_given(e) ? wrong : right);
    }
    if (wrong < 2 || wrong <= right) return {};
    return Diagnosis{
        DiagnosisKind::off_diagonal, 0, 0, 0, {}, "the diagonal is right, and most other entries are not"};
  }

  /// The input with which all wrong entries are, two at least.
  std::optional<Diagnosis> row() const {
    for (Index i = 0; i < std::ssize(target_.inputs); ++i) {
      if (const auto wrong = wrong_only_with({i}); wrong && *wrong >= 2) {
        const std::vector<Index> inputs = positions({i});
        return Diagnosis{DiagnosisKind::row,
                         0,
                         0,
                         0,
                         inputs,
                         fmt::format("only entries with {} are wrong", names(inputs))};
      }
    }
    return {};
  }

  std::optional<Diagnosis> group() const {
    std::map<Index, std::vector<Index>> members;
    for (Index i = 0; i < std::ssize(groups_); ++i)
      members[groups_[static_cast<std::size_t>(i)]].push_back(i);
    if (members.size() < 2) return {};
    for (const auto& [number, inputs] : members) {
      if (const auto wrong = wrong_only_with(inputs); wrong && *wrong >= 2) {
        const std::vector<Index> where = positions(inputs);
        return Diagnosis{DiagnosisKind::group,
                         0,
                         0,
                         0,
                         where,
                         fmt::format("only entries with {} are wrong", names(where))};
      }
    }
    return {};
  }

  /// How many entries with these inputs are wrong, if no others are, and there are others.
  std::optional<Index> wrong_only_with(const std::vector<Index>& inputs) const {
    Index wrong = 0, others = 0;
    for (Index e = 0; e < target_.entries(); ++e) {
      const EntryPosition at = entry_position(e);
      const bool with = std::find(inputs.begin(), inputs.end(), at.row) != inputs.end() ||
                        std::find(inputs.begin(), inputs.end(), at.column) != inputs.end();
      if (!with && !right_as_given(e)) return {};
      others += !with;
      wrong += with && wrong_as_given(e);
    }
    if (others == 0) return {};
    return wrong;
  }

  bool right_as_given(Index e) const {
    return test_.is_right(e, fresh_.statistics.mean(e), fresh_.statistics.standard_error(e));
  }
  bool wrong_as_given(Index e) const {
    return !test_.is_zero(e, fresh_.statistics.mean(e), fresh_.statistics.standard_error(e));
  }

  std::vector<Index> positions(const std::vector<Index>& inputs) const {
    std::vector<Index> result;
    for (const Index i : inputs) result.push_back(target_.inputs[static_cast<std::size_t>(i)]);
    return result;
  }

  std::string names(const std::vector<Index>& inputs) const {
    std::vector<std::string> result;
    for (const Index i : inputs)
      result.push_back(target_.labels.empty() ? fmt::format("{}", i)
                                              : target_.labels[static_cast<std::size_t>(i)]);
    const std::string list = fmt::format("{}", fmt::join(result, ", "));
    return (inputs.size() == 1 ? "input " : "inputs ") + list;
  }

  /// "2.000 times (1.993 … 2.007)", with the digits that the interval shows.
  static std::string with_interval(const Diagnosis& one, const char* unit) {
    const double half = std::max(0.5 * (one.upper - one.lower), 1e-9 * std::abs(one.value));
    const int digits = static_cast<int>(std::clamp(std::ceil(1 - std::log10(half)), 0., 9.));
    return fmt::format("{:.{}f}{} ({:.{}f} … {:.{}f})", one.value, digits, unit, one.lower, digits, one.upper,
                       digits);
  }

  const Sample& fresh_;
  const Target& target_;
  Test test_;
  MatrixXd estimates_;  // Y, N×p
  VectorXd weights_;
  std::vector<Index> groups_;  // of the inputs looked at; empty: none
};

const char* name_of(DiagnosisKind kind) {
  switch (kind) {
    case DiagnosisKind::factor:
      return "factor";
    case DiagnosisKind::constant:
      return "constant";
    case DiagnosisKind::correlation:
      return "correlation";
    case DiagnosisKind::swap:
      return "swap";
    case DiagnosisKind::off_diagonal:
      return "off_diagonal";
    case DiagnosisKind::row:
      return "row";
    case DiagnosisKind::group:
      return "group";
  }
  return "";
}

}  // namespace

std::optional<Diagnosis> diagnose(const Sample& fresh, const Target& target, const VectorXd& own_errors,
                                  const std::vector<Index>& groups) {
  return Diagnostics(fresh, target, own_errors, groups).find();
}

nlohmann::ordered_json to_json(const std::optional<Diagnosis>& diagnosis) {
  if (!diagnosis) return {};
  const bool number = diagnosis->kind == DiagnosisKind::factor || diagnosis->kind == DiagnosisKind::constant;
  nlohmann::ordered_json result = {
      {"kind", name_of(diagnosis->kind)}, {"value", nullptr}, {"interval", nullptr}};
  if (number) {
    result["value"] = diagnosis->value;
    result["interval"] = {diagnosis->lower, diagnosis->upper};
  }
  result["inputs"] = diagnosis->inputs;
  result["text"] = diagnosis->text;
  return result;
}

}  // namespace nngpcheck::compare
