#include "nngpcheck/compare/runs/run_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <fstream>
#include <functional>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/statistics/rounding.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"

namespace nngpcheck::compare {

namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::string another = "choose another folder, or remove this one";

/// The first place where two descriptions differ, such as "/0/sweep/networks".
std::string first_difference(const ordered_json& left, const ordered_json& right) {
  return nlohmann::json::diff(nlohmann::json(left), nlohmann::json(right))
      .at(0)
      .at("path")
      .get<std::string>();
}

const ordered_json& experiments_in(const ordered_json& run, const fs::path& file) {
  if (!run.contains("experiments")) throw CompareError(file.string() + ": missing or damaged; " + another);
  return run["experiments"];
}

fs::path kernel_file(const fs::path& folder, const std::string& experiment) {
  return folder / ("kernel_" + experiment + ".json");
}

fs::path prediction_file(const fs::path& folder, const std::string& experiment) {
  return folder / ("predicted_" + experiment + ".json");
}

kernels::Kernel read_kernel(const fs::path& file) {
  try {
    kernels::Kernel kernel = kernels::kernel_from_json(read_json(file));
    if (kernel.labels.empty() || kernel.standard_error.size() == 0 || kernel.error_bound.size() == 0)
      throw CompareError("labels or error bars are missing; " + another);
    return kernel;
  } catch (const Error& error) {
    const std::string what = error.what();
    throw CompareError(what.starts_with(file.string()) ? what : file.string() + ": " + what);
  }
}

void check_sweep(const Experiment& experiment, const fs::path& file) {
  const std::vector<std::int64_t>& widths = experiment.widths;
  const bool ascending =
      std::adjacent_find(widths.begin(), widths.end(), std::greater_equal<>()) == widths.end();
  if (!widths.empty() && widths.front() > 0 && ascending && experiment.networks > 0) return;
  throw CompareError(file.string() + ": damaged: the widths or networks of " + experiment.name +
                     " are none that a run has; " + another);
}

/// The probability that a kernel is refused that was computed again with other randomizations.
constexpr double false_refusal = 1e-6;

/// Equal within their error bars and rounding, and of the same inputs?
bool agree(const kernels::Kernel& one, const kernels::Kernel& other) {
  if (one.labels != other.labels) return false;
  const double tail = false_refusal / (2 * static_cast<double>(one.value.size()));
  const double t =
      student_quantile(tail, std::min(degrees_of_freedom(one.repeats), degrees_of_freedom(other.repeats)));
  const Eigen::ArrayXXd standard_error =
      (one.standard_error.array().square() + other.standard_error.array().square()).sqrt();
  const Eigen::ArrayXXd allowed = one.error_bound.array() + other.error_bound.array() + t * standard_error +
                                  rounding(Precision::float64).error * entry_scales(other.value).array();
  return ((one.value - other.value).array().abs() <= allowed).all();
}

/// Of what decides the numbers that are recorded; the order of keys means nothing.
std::uint32_t fingerprint(const Experiment& experiment) {
  const std::string text = nlohmann::json(experiment.description).dump();
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

}  // namespace

ordered_json read_json(const fs::path& file) {
  std::ifstream stream(file);
  try {
    return ordered_json::parse(stream);
  } catch (const nlohmann::json::exception&) {
    throw CompareError(file.string() + ": missing or damaged; " + another);
  }
}

ordered_json descriptions(const std::vector<Experiment>& experiments) {
  ordered_json result = ordered_json::array();
  for (const Experiment& experiment : experiments) result.push_back(experiment.description);
  return result;
}

void check_same(const ordered_json& there, const ordered_json& others, const fs::path& folder,
                const std::string& remedy) {
  // As unordered JSON: the order of keys means nothing.
  if (nlohmann::json(there) == nlohmann::json(others)) return;
  throw CompareError(folder.string() + ": holds another run (they differ in " +
                     first_difference(there, others) + "); " + remedy);
}

void check_folder(const fs::path& folder) {
  fs::path existing = fs::absolute(folder);
  while (!fs::exists(existing) && existing.has_relative_path()) existing = existing.parent_path();
  if (!fs::is_directory(existing))
    throw CompareError(existing.string() + ": cannot hold a run: not a folder");
  if (::access(existing.c_str(), W_OK | X_OK) != 0) files::cannot_write(folder);
  if (!fs::exists(folder) || fs::exists(folder / "run.json")) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("run.json.") && name.ends_with(".partial"))
      continue;  // a run that was killed at once
    throw CompareError(folder.string() + ": holds files, but no run; " + another);
  }
}

void open_folder(const fs::path& folder, const std::vector<Experiment>& experiments,
                 const ordered_json& provenance) {
  const fs::path file = folder / "run.json";
  if (fs::exists(file)) {
    const ordered_json run = read_json(file);
    check_same(experiments_in(run, file), descriptions(experiments), folder, another);
    return;
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw CompareError(folder.string() + ": cannot be made: " + error.message());
  files::sync_folder(fs::absolute(folder).lexically_normal().parent_path());
  ordered_json texts = ordered_json::object();
  for (const Experiment& experiment : experiments)
    texts[experiment.name] = {{"program", experiment.program}, {"plan", experiment.plan}};
  ordered_json contents = {{"experiments", descriptions(experiments)}, {"texts", std::move(texts)}};
  contents.update(provenance);
  files::write_file(file, contents.dump(1) + "\n");
}

void check_kernels(const fs::path& folder, const std::vector<Experiment>& experiments,
                   const std::string& remedy) {
  for (const Experiment& experiment : experiments) {
    const fs::path file = kernel_file(folder, experiment.name);
    if (fs::exists(file) && !agree(read_kernel(file), experiment.kernel)) {
      throw CompareError(file.string() +
                         ": not the kernel of this experiment (its inputs, or nngpcheck, have " +
                         "changed since); " + remedy);
    }
  }
}

std::vector<Experiment> settle_kernels(const fs::path& folder, std::vector<Experiment> experiments) {
  check_kernels(folder, experiments, another);
  for (Experiment& experiment : experiments) {
    const fs::path file = kernel_file(folder, experiment.name);
    if (fs::exists(file))
      experiment.kernel = read_kernel(file);
    else
      files::write_file(file, kernels::serialize(experiment.kernel, kernels::KernelFormat::json));
  }
  return experiments;
}

void settle_predictions(const fs::path& folder, const std::vector<Experiment>& experiments) {
  for (const Experiment& experiment : experiments) {
    const fs::path file = prediction_file(folder, experiment.name);
    if (experiment.predict && !fs::exists(file))
      files::write_file(file, to_json(experiment.predict()).dump(1) + "\n");
  }
}

std::optional<Prediction> recorded_prediction(const fs::path& folder, const Experiment& experiment) {
  const fs::path file = prediction_file(folder, experiment.name);
  if (!fs::exists(file)) return {};
  try {
    Prediction prediction = prediction_from_json(read_json(file));
    if (!prediction.none.empty() || prediction.widths.size() == experiment.widths.size()) return prediction;
  } catch (const nlohmann::json::exception&) {
  }
  throw CompareError(file.string() + ": damaged; remove it, and the same command predicts again");
}

ordered_json recorded_provenance(const fs::path& folder) {
  ordered_json run = read_json(folder / "run.json");
  run.erase("experiments");
  run.erase("texts");
  return run;
}

std::vector<Experiment> recorded_experiments(const fs::path& folder) {
  const fs::path file = folder / "run.json";
  if (!fs::exists(file))
    throw CompareError(folder.string() + ": holds no run (no run.json); give the folder of a run");
  const ordered_json run = read_json(file);
  std::vector<Experiment> result;
  for (const ordered_json& description : experiments_in(run, file)) {
    Experiment experiment;
    try {
      experiment.name = description.at("name").get<std::string>();
      experiment.widths = description.at("sweep").at("widths").get<std::vector<std::int64_t>>();
      experiment.networks = description.at("sweep").at("networks").get<std::int64_t>();
      if (description.at("sweep").value("precision", "float64") == "float32")
        experiment.precision = Precision::float32;
      if (const auto texts = run.find("texts"); texts != run.end() && texts->contains(experiment.name)) {
        experiment.program = (*texts)[experiment.name].value("program", "");
        experiment.plan = (*texts)[experiment.name].value("plan", "");
      }
    } catch (const nlohmann::json::exception& error) {
      throw CompareError(file.string() + ": damaged: " + files::printable(error.what()));
    }
    check_sweep(experiment, file);
    experiment.description = description;
    experiment.kernel = read_kernel(kernel_file(folder, experiment.name));
    result.push_back(std::move(experiment));
  }
  return result;
}

double disk_bytes(const std::vector<std::int64_t>& widths, std::int64_t networks, Eigen::Index size) {
  constexpr double head = 400, csv_number = 20;
  const ChunkGrid grid({{"", 0, widths, networks}}, NetworkColumns(size).names());
  const auto chunks = static_cast<double>(grid.chunks.size());
  const auto numbers = static_cast<double>(grid.columns.size()) * static_cast<double>(networks) *
                       static_cast<double>(widths.size());
  const double entries = static_cast<double>(size) * static_cast<double>(size + 1) / 2;
  return chunks * (head + 2 * 8 * entries) + numbers * (8 + csv_number);
}

NetworkColumns network_columns(const std::vector<Experiment>& experiments) {
  Eigen::Index inputs = 0;
  for (const Experiment& experiment : experiments) inputs = std::max(inputs, experiment.kernel.value.rows());
  return NetworkColumns(inputs);
}

ChunkGrid chunk_grid(const std::vector<Experiment>& experiments) {
  std::vector<Sweep> sweeps;
  for (const Experiment& experiment : experiments)
    sweeps.push_back({experiment.name, fingerprint(experiment), experiment.widths, experiment.networks});
  return {std::move(sweeps), network_columns(experiments).names()};
}

}  // namespace nngpcheck::compare
