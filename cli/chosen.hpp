// Which experiments of a file a command is about.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/config/experiment.hpp"

namespace nngpcheck::cli {

/// "rnn, gru".
std::string names_of(const std::vector<config::Experiment>& experiments);

/// The experiment of that name, or all if the name is empty. Throws UsageError if there is none.
std::vector<config::Experiment> chosen(std::vector<config::Experiment> experiments, const std::string& name,
                                       const std::filesystem::path& file);

/// Each experiment once per layer of its network, which is read out (netsor/passes/layers.hpp): NAME-LAYER,
/// in whose name what is no letter, digit, _ or - is _.
std::vector<config::Experiment> by_layer(const std::vector<config::Experiment>& experiments);

/// The experiment with so many of its kernel's inputs, chosen at random, always the same ones; with all where
/// it has no more, or no number is given.
config::Experiment on_some_inputs(config::Experiment experiment, std::optional<std::int64_t> inputs);

/// Says on standard error what was assumed of inputs without being sure.
void tell_doubts(const std::vector<config::Experiment>& experiments);

}  // namespace nngpcheck::cli
