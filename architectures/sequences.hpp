// Recurrent networks over sequences of different lengths, one bundle per time step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "architectures/inputs.hpp"
#include "architectures/options.hpp"
#include "netsor/builder.hpp"

namespace nngpcheck::architectures {

/// Which tokens a time step t = 0, 1, … works on: those at position t of every sequence longer than t. Its
/// bundles have one column per such sequence, in the order of the sequences.
class TimeSteps {
 public:
  /// Throws ArchitectureError if the inputs are plain vectors.
  explicit TimeSteps(const Inputs& inputs);

  /// Number of steps: the longest sequence's length.
  int count() const { return static_cast<int>(tokens_.size()); }

  /// The input columns at step t.
  const std::vector<Eigen::Index>& tokens(int t) const { return tokens_[static_cast<std::size_t>(t)]; }

  /// The columns of step t - 1 whose sequences go on at step t. Precondition: t > 0.
  std::vector<Eigen::Index> surviving(int t) const;

  /// From the states of all steps to the outputs: one column per token ("all"), or per sequence its last
  /// state
  /// ("last") or its mean over time ("average").
  netsor::BundleId collect(netsor::Builder& builder, const std::vector<netsor::BundleId>& states,
                           const std::string& output) const;

  /// The labels of those columns: the tokens', or the sequences' numbers.
  std::vector<std::string> labels(const std::string& output) const;

 private:
  const Inputs& inputs_;
  std::vector<std::vector<Eigen::Index>> tokens_;
  std::vector<std::vector<Eigen::Index>> sequences_;  // the sequence of each of them
};

/// The variances of a recurrent network's random objects, as the options structs name them.
struct RecurrentVariances {
  double weight = 1;
  double input = 1;
  double bias = 0;
};

/// (x_t, s) ↦ W s + U x_t + b with its own random objects "W<suffix>", "U<suffix>", "b<suffix>" (no b if its
/// variance is 0): what every gate of a recurrent network starts with.
class RecurrentAffine {
 public:
  RecurrentAffine(netsor::Builder& builder, const Inputs& inputs, const TimeSteps& steps,
                  const std::string& suffix, const RecurrentVariances& variances);

  /// U x_t + b, one column per token of step t.
  netsor::BundleId drive(int t) const;

  /// W s for a bundle s with one column per token of the step.
  netsor::BundleId recur(netsor::BundleId state) const { return builder_.matmul(weight_, state); }

  /// W s + U x_t + b; without a state (s_0 = 0) only the drive.
  netsor::BundleId operator()(int t, std::optional<netsor::BundleId> state) const;

 private:
  netsor::Builder& builder_;
  const TimeSteps& steps_;
  netsor::WeightId weight_;
  netsor::BundleId drive_;  // of all tokens
};

/// The options that every recurrent network has.
template <class S>
std::vector<Field<S>> recurrent_fields() {
  return {
      {"weight_variance", &S::weight_variance, "variance of a recurrent weight times n", 0, {}},
      {"input_variance", &S::input_variance, "variance of an input weight times d", 0, {}},
      {"bias_variance", &S::bias_variance, "variance of a bias", 0, {}},
      {"readout_variance", &S::readout_variance, "variance of a readout weight times n", 0, {}},
      {"output",
       &S::output,
       "states that are read out: of every token, the last, or the average over time",
       0,
       {"all", "last", "average"}},
  };
}

}  // namespace nngpcheck::architectures
