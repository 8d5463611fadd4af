// Experiment files: what to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::config {

enum class Precision { float64, float32 };

/// Which random networks to draw: `networks` of each width n, numbered from 0.
struct Sweep {
  std::vector<std::int64_t> widths;  // at least 2, positive, strictly increasing
  std::int64_t networks = 0;         // from 2 to 10⁹
  std::uint64_t seed = 0;
  Precision precision = Precision::float64;
};

inline constexpr std::int64_t all_inputs = std::numeric_limits<std::int64_t>::max();

/// How a kernel is checked against random networks. What is missing is left to the check.
struct Check {
  std::vector<std::int64_t> widths;  // empty, or at least 4, increasing
  std::optional<std::int64_t> ladders;
  std::optional<double> resolution, tolerance, false_alarm;
  std::optional<double> time;          // seconds
  std::optional<std::int64_t> inputs;  // looked at by a round
  std::uint64_t seed = 0;
  Precision precision = Precision::float64;
};

/// An architecture and its options, not yet applied to inputs.
struct Model {
  std::string name;
  std::string reads;  // see architectures::Architecture::inputs; empty: anything
  architectures::Network network;
  nlohmann::ordered_json resolved;  // what was asked for, with every default filled in
};

/// An architecture applied to inputs, and how to sample it.
struct Experiment {
  std::string name;
  architectures::Network network;
  inputs::Inputs inputs;
  netsor::Program program;  // of the network and these inputs
  std::optional<Sweep> sweep;
  Check check;
  nlohmann::ordered_json resolved;  // what was asked for, with every default filled in
  std::string inputs_said = {};     // how the inputs were read, in words
  std::string inputs_doubt =
      {};  // what was assumed of them without being sure, or empty: to be shown to the user
  /// Of a program's file, which has neither network nor inputs; of a model's archive, the program whose
  /// kernel is that of the features that are read out.
  std::optional<netsor::Program> features = {};
};

/// The experiments of a TOML file: either one,
///
///     name = "rnn"                       # default: the architecture's name
///     [architecture]
///     name = "simple_rnn"                # and its options, see `nngpcheck list`
///     activation = "erf"                 # or {name = "mine", expression = "x*tanh(x)", kinks = [0.0]}
///     [inputs]
///     file = "../data/sentences.csv"     # relative to this file; the other keys are below
///     [sweep]                            # optional
///     widths = [64, 128, 256]
///     networks = 100
///     seed = 1                           # default 0
///     precision = "float64"              # default; or "float32"
///     [check]                            # optional, as are its keys
///     widths = [64, 128, 256, 512]       # default: 64, 128, …, 8192
///     ladders = 64                       # networks of each width in the first round
///     resolution = 0.01                  # that no entry may be off by, relative to √(K_aa K_bb)
///     tolerance = 0.05                   # instead: entries within half of it are never called wrong
///     false_alarm = 1e-6                 # probability of "disagree" if the kernel is right
///     time = 120                         # seconds, after which a check ends undecided
///     inputs = "all"                     # or how many a round looks at; default: all of up to 128, else 64
///     seed = 1                           # default 0
///     precision = "float64"
///
/// or several [[experiment]] tables of that shape, each with a name of its own (letters, digits, _ and -).
/// `overrides` are TOML lines such as architecture.depth=3 that replace what the file says in every
/// experiment, or in one: NAME.architecture.depth=3. A value that is no TOML is taken as a string; a file
/// name given so is relative to the working directory.
///
/// Inputs are a file or synthetic images:
///
///     file = "a.csv"           # text, .npy, "a.npz:images", idx, CIFAR (see inputs::read_inputs)
///     grid = [8, 8]            # each row is a sample on a grid of 1 to 3 axes (see as_grids);
///                              # without it a vector. Arrays of more axes have a grid (see form_of)
///     layout = "channels_first"   # or "channels_last": where a sample on a grid has its channels
///     lengths = [3, 2]         # of sequences in an array (samples, tokens, numbers);
///                              # or a file: "a.npz:lengths"
///     range = [0, 1]           # what bytes 0 and 255 stand for; default: [-1, 1] for CIFAR,
///                              # else themselves
///     columns = ["x", "y"]     # of a table, by name or number: the inputs;
///     labels = "species"       # texts of the rows;
///     skip = ["id"]            # neither (skip = 2: lines at the top);
///     header = true            # each is guessed where it is missing (see inputs::parse_table)
///     separator = ";"          # also "\t", and " " for any number of spaces
///     decimal = ","
///     first = 0                # which rows of the file to take; not for sequences
///     count = 64               # default: all from `first` on
///     images = {count = 64, channels = 3, size = [8, 8], seed = 0}
///                              # instead of file (see synthetic_images); default: 1 channel, seed 0
///     flat = false             # true: images and sequences become vectors; default for images
///                              # where the architecture reads vectors
///     batch_size = 32          # samples 0, …, 31 are batch 0, and so on; default: all in one batch
///     graph = "edges.csv"      # the rows of a file are the nodes of a graph (see inputs::read_edges)
///     directed = false         # true: an edge leads from source to target only
///     graph_sizes = [3, 2]     # nodes of several graphs, one after the other; or a file. Default: one graph
///     others = {caption = {file = "b.csv"}}   # further inputs of each sample, by name, with a file or
///     images
///                              # and its keys; a layer of type "input" reads them
///
/// or one of a program: of the archive of a PyTorch model, FILE.nngp (import/), or of a program's text,
/// FILE.netsor (netsor/reader.hpp). Its name is the file's; of the keys above, name, sweep and check can be
/// given as overrides. Without sweep, 100 networks are drawn of five widths from 64 on.
///
/// Throws InputError for whatever does not fit, unknown keys included, and for a model without a limit, with
/// the reasons.
std::vector<Experiment> read_experiments(const std::filesystem::path& file,
                                         const std::vector<std::string>& overrides = {});

/// Whether a file holds one program with its inputs, by its name: FILE.nngp, FILE.netsor.
bool is_program(const std::filesystem::path& file);

/// A name of experiments made from a text: what is neither letter, digit nor hyphen becomes an underscore.
std::string name_of(std::string text);

/// The same experiments on the inputs in another file, if one is given; of them all, as neither first, count
/// nor lengths apply to it. Throws InputError, too, for experiments whose inputs are no file, or a graph.
std::vector<Experiment> read_experiments_on(const std::filesystem::path& file,
                                            const std::vector<std::string>& overrides,
                                            const std::optional<std::filesystem::path>& other);

/// The architecture in a TOML text: the keys of an [architecture] table, or an experiment that has one, whose
/// inputs, sweep and check are not read; of several experiments the one of that name. Messages say `source`
/// where a file would be named.
Model read_architecture(const std::string& toml, const std::string& source,
                        const std::optional<std::string>& experiment = {});

/// The same as a JSON object.
Model architecture_from_json(const nlohmann::json& table, const std::string& source);

/// The architecture of that name on a small built-in input: two sequences of 3 and 2 tokens, or a graph of 5
/// nodes.
Experiment example_experiment(const std::string& architecture,
                              const std::vector<std::string>& overrides = {});

}  // namespace nngpcheck::config
