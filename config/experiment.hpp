// Experiment files: what to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "netsor/program.hpp"

namespace nngpcheck::config {

enum class Precision { float64, float32 };

/// Which random networks to draw: `networks` of each width n, numbered from 0.
struct Sweep {
  std::vector<std::int64_t> widths;  // at least 2, positive, strictly increasing
  std::int64_t networks = 0;         // at least 2
  std::uint64_t seed = 0;
  Precision precision = Precision::float64;
};

/// An architecture applied to inputs, and how to sample it.
struct Experiment {
  std::string name;
  netsor::Program program;
  std::optional<Sweep> sweep;
  nlohmann::ordered_json resolved;  // what was asked for, with every default filled in
};

/// The experiments of a TOML file: either one,
///
///     name = "rnn"                       # default: the architecture's name
///     [architecture]
///     name = "simple_rnn"                # and its options, see `nngpcheck list`
///     activation = "erf"                 # or {name = "mine", expression = "x*tanh(x)", kinks = [0.0]}
///     [inputs]
///     file = "../data/sentences.csv"     # relative to this file
///     [sweep]                            # optional
///     widths = [64, 128, 256]
///     networks = 100
///     seed = 1                           # default 0
///     precision = "float64"              # default; or "float32"
///
/// or several [[experiment]] tables of that shape, each with a name of its own (letters, digits, _ and -).
/// `overrides` are TOML lines such as architecture.depth=3 that replace what the file says in every
/// experiment, or in one: NAME.architecture.depth=3. A value that is no TOML is taken as a string; a file
/// name given so is relative to the working directory.
/// Throws ConfigError for whatever does not fit, unknown keys included.
std::vector<Experiment> read_experiments(const std::filesystem::path& file,
                                         const std::vector<std::string>& overrides = {});

/// The architecture of that name on a small built-in input: two sequences of 3 and 2 tokens.
Experiment example_experiment(const std::string& architecture,
                              const std::vector<std::string>& overrides = {});

}  // namespace nngpcheck::config
