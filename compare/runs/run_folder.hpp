// What identifies the run in a folder: run.json and kernel_NAME.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/runs/network_row.hpp"
#include "nngpcheck/compare/runs/run.hpp"

namespace nngpcheck::compare {

/// Throws CompareError if the file is missing or damaged.
nlohmann::ordered_json read_json(const std::filesystem::path& file);

/// What run.json says of experiments.
nlohmann::ordered_json descriptions(const std::vector<Experiment>& experiments);

/// Throws CompareError, which says where they differ, unless these descriptions, of the run in `folder`, are
/// those of `others`.
void check_same(const nlohmann::ordered_json& there, const nlohmann::ordered_json& others,
                const std::filesystem::path& folder, const std::string& remedy);

/// Makes the folder with its run.json, or checks that the one there describes the same run.
void open_folder(const std::filesystem::path& folder, const std::vector<Experiment>& experiments,
                 const nlohmann::ordered_json& provenance);

/// Throws CompareError if a kernel that is recorded in the folder is not the experiment's, within their error
/// bounds, standard errors and rounding: limits of other machines may differ by those.
void check_kernels(const std::filesystem::path& folder, const std::vector<Experiment>& experiments,
                   const std::string& remedy);

/// The experiments with the kernels that the folder's errors refer to: those recorded there, or else the ones
/// given, from now on. Throws as check_kernels does.
std::vector<Experiment> settle_kernels(const std::filesystem::path& folder,
                                       std::vector<Experiment> experiments);

/// Records what the experiments predict, where that is not recorded yet.
void settle_predictions(const std::filesystem::path& folder, const std::vector<Experiment>& experiments);

/// What is recorded; nothing if that is nothing. Throws CompareError if it is damaged.
std::optional<Prediction> recorded_prediction(const std::filesystem::path& folder,
                                              const Experiment& experiment);

/// What run.json says of how the run was made.
nlohmann::ordered_json recorded_provenance(const std::filesystem::path& folder);

/// The run that a folder holds, with the kernels recorded there, but without samplers. Throws CompareError if
/// it holds none.
std::vector<Experiment> recorded_experiments(const std::filesystem::path& folder);

/// The columns that these experiments have in common: as many as the largest kernel needs.
NetworkColumns network_columns(const std::vector<Experiment>& experiments);

/// The chunks of these experiments, with those columns.
ChunkGrid chunk_grid(const std::vector<Experiment>& experiments);

}  // namespace nngpcheck::compare
