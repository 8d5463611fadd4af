// What is wrong with a kernel that disagrees, as far as the networks tell.
#pragma once

#include <Eigen/Core>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace nngpcheck::compare {

struct Sample;
struct Target;

/// With G the given kernel and K the limit:
///
///     factor        G = f K           f and its interval
///     constant      G = K + c         c and its interval
///     correlation   G_ab = K_ab/√(K_aa K_bb)
///     swap          two inputs, or two groups of inputs of one size, stand in each other's place
///     off_diagonal  the diagonal is right, more than half of the other entries are not
///     row, group    only entries with one input, or with one group of inputs, are wrong
enum class DiagnosisKind { factor, constant, correlation, swap, off_diagonal, row, group };

struct Diagnosis {
  DiagnosisKind kind = DiagnosisKind::factor;
  double value = 0;                  // f or c
  double lower = 0, upper = 0;       // its 99 % interval
  std::vector<Eigen::Index> inputs;  // swapped: the first group and then the second; or those that are wrong
  std::string text;                  // "every entry is 2.00 times (1.99 … 2.01) the networks'"
};

/// The one explanation that fits the networks, if there is one. It fits if no entry differs from it by more
/// than a two-sided Student test at 1 % in all (Bonferroni's) allows, beyond the kernel's own error bars, and
/// if what it may leave of an entry, by the same intervals, is at most a fifth of the largest error, relative
/// to √(K_aa K_bb). Where two of the first four fit, none is named; the other three, whose right entries are
/// meant so, are looked at where none of these fits. `groups` numbers the inputs of a kernel that belong
/// together, such as the tokens of a sequence; empty: none do. `own_errors`: what of the given entries is
/// uncertain.
std::optional<Diagnosis> diagnose(const Sample& fresh, const Target& target,
                                  const Eigen::VectorXd& own_errors, const std::vector<Eigen::Index>& groups);

/// {"kind", "value", "interval", "inputs", "text"}; null for none.
nlohmann::ordered_json to_json(const std::optional<Diagnosis>& diagnosis);

}  // namespace nngpcheck::compare
