// What the executable can do: each command prints to standard output and throws what goes wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/support/part.hpp"

namespace nngpcheck::cli {

/// Architectures with their options, and activations.
void list();

enum class ShowFormat { paper, netsor };

struct ShowOptions {
  std::string what;        // an architecture or an experiment file
  std::string experiment;  // which one, if the file holds several
  bool plan = false;
  ShowFormat format = ShowFormat::paper;
  bool quiet = false;  // show no progress
  std::vector<std::string> overrides;
};

/// The program as the paper writes it, or as text that is read again; or with `plan` how its limit is
/// computed.
void show(const ShowOptions& options);

struct KernelOptions {
  std::filesystem::path file;
  std::string experiment;  // which one, if the file holds several
  std::optional<std::filesystem::path> output;
  bool quiet = false;
  std::optional<std::filesystem::path> rows;  // inputs of the rows, if they are not those of the columns
  bool features = false;                      // of a model's features instead of its outputs
  bool layers = false;                        // of every layer
  std::optional<std::string> block;           // "2/3": a part to be merged with the others
  std::vector<std::string> overrides;
};

/// Processes that compute a kernel together, each a part of it.
struct KernelTeam {
  support::Part part;
  int threads = 0;  // of each; 0: all
  /// Brings the bytes of all parts but the first to rank 0, one after the other.
  std::function<void(const std::string& bytes,
                     const std::function<void(std::int64_t rank, const std::string& bytes)>& take)>
      gather = {};
};

/// The analytic kernel: into a file, or its corner to read.
void kernel(const KernelOptions& options, const KernelTeam& team = {});

struct RunOptions {
  std::filesystem::path file;
  std::optional<std::filesystem::path> folder;  // default: results/ and the file's name
  std::string sampler = "auto";
  std::string device = "cpu";
  int threads = 0;
  std::size_t memory = 0;  // bytes; 0: half of what the machine has left
  std::string shard = "1/1";
  bool check = false;   // a verdict for the report
  bool layers = false;  // every layer as an experiment of its own
  bool law = true;      // predict errors by the finite-width law
  bool quiet = false;
  bool dry_run = false;
  std::vector<std::string> overrides;
};

/// Random networks against the analytic kernel, into a folder; or, as a dry run, what that would take.
void run(const RunOptions& options);

struct MergeOptions {
  std::vector<std::filesystem::path> parts;  // folders of runs, or files of blocks
  std::filesystem::path out;
};

/// One run from its shards, or one kernel from its blocks.
void merge(const MergeOptions& options);

struct CheckOptions {
  std::vector<std::filesystem::path> files;
  std::string experiment;                                          // only this one
  std::optional<double> false_alarm, resolution, tolerance, time;  // instead of the files'
  std::optional<std::int64_t> inputs;                              // looked at by a round
  std::optional<std::filesystem::path> kernel, kernel_stderr;      // instead of the analytic kernel
  std::optional<std::filesystem::path> junit, json;                // where to write the evidence
  bool law = false;                                                // check the fluctuations instead
  std::optional<std::int64_t> pairs;                               // of networks, for that
  bool quiet = false;                                              // show no progress
  std::string sampler = "auto";
  int threads = 0;
  std::size_t memory = 0;
  std::vector<std::string> overrides;
};

/// Is the kernel the limit of the networks? One line per experiment. Returns 0 if all agree, 1 if one
/// disagrees, 2 otherwise.
int check(const CheckOptions& options);

struct PowerOptions {
  std::filesystem::path file;
  std::string experiment;  // which one; default: all
  std::int64_t repetitions = 20;
  double resolution = 0.01;
  bool above_resolution = false;  // only mutants that must be caught
  int threads = 0;
  bool quiet = false;
  std::optional<std::filesystem::path> json;
  std::vector<std::string> overrides;
};

/// How often and how fast the check catches deliberately wrong kernels. False if it missed one that is wrong
/// by the resolution or more.
bool power(const PowerOptions& options);

struct ImportOptions {
  std::filesystem::path file;                   // of a model, .nngp
  std::optional<std::filesystem::path> json;    // where to write what was found
  std::optional<std::filesystem::path> output;  // where to write the program, .netsor
  bool features = false;                        // the program of its features instead of its outputs
};

/// What a PyTorch model is as a program, or why it is none. False if it has no limit.
bool import_model(const ImportOptions& options);

struct LawOptions {
  std::filesystem::path file;
  std::string experiment;                     // which one; default: all
  std::optional<std::filesystem::path> json;  // where to write the numbers
  std::optional<std::filesystem::path> plot;  // where to draw them, .svg and .png
  std::optional<std::int64_t> inputs;         // of so many, chosen at random
  bool quiet = false;
  std::vector<std::string> overrides;
};

/// How far kernels of random networks of finite width lie from the limit, predicted.
void law(const LawOptions& options);

struct WidthOptions {
  std::filesystem::path file;
  std::string experiment;  // which one; default: all
  std::string error;       // "1%" or "0.01"
  std::optional<std::string> confidence;
  bool entry = false;                  // all entries at once, relative to √(K_aa K_bb)
  std::optional<std::int64_t> inputs;  // of so many, chosen at random
  bool quiet = false;
  std::vector<std::string> overrides;
};

/// The width from which a network's kernel is that close to its limit, and what such a network takes.
void width(const WidthOptions& options);

struct PlotOptions {
  std::vector<std::filesystem::path> folders;
  std::optional<std::filesystem::path> output;  // without extension
};

/// Width-versus-error plots of finished runs.
void plot(const PlotOptions& options);

struct DualOptions {
  std::string activation;
  std::string variance_u, variance_v, covariance;
};

/// E[φ(u)φ(v)] and its error bound.
void dual(const DualOptions& options);

/// "nngpcheck 0.1.0 (Release, LibTorch 1.13.1, Eigen 3.4.0, …)": of LibTorch what the build found, which is
/// not loaded.
std::string version();

}  // namespace nngpcheck::cli
