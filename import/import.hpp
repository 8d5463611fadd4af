// PyTorch models as programs (docs/import.md).
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nngpcheck/import/archive.hpp"
#include "nngpcheck/import/report.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::importer {

/// What an import concludes about a model.
struct Imported {
  /// "limit"; "limit_other_input_law": one that is not that of Gaussian weights, as input weights or biases
  /// are not: the program has functions of Gaussian vectors that have their law; "input_vanishes": what is
  /// left does not depend on the input; "diverges"; "no_limit": the kernel of one network stays random at
  /// every width; "outside": no NETSOR program; "reject": no program can be formed.
  std::string verdict;
  std::vector<Diagnosis> diagnoses;
  std::map<std::string, std::string> parameters;  // their classes
  /// By width: the largest difference between the program's outputs and the archive's, over the largest
  /// output.
  std::vector<std::pair<std::int64_t, double>> equal_outputs;
  /// The limit's program whose kernel is that of the features, the readout's input, E[F Fᵀ]/columns; and the
  /// one whose kernel is that of the outputs. Only where there is a limit, and the parameters that decide it
  /// are normal or uniform. Features of a parameter that no linear layer reads are the outputs' derivatives
  /// by it times its deviation.
  std::optional<netsor::Program> features, outputs;
  /// The parameter that reads the features out, or "".
  std::string readout;
};

/// How far a program may be from the model at any width.
inline constexpr double largest_difference = 1e-10;

/// Throws InputError for an archive that cannot be read, or holds an operator that nobody knows (naming its
/// place in the model's source).
Imported import_model(const Archive& archive);

/// The same model on other inputs: `array` is instead of the one that it is given, and has its shape, which
/// is part of the graph. What is proved is that the program gives the archive's outputs on the archive's
/// inputs. Throws InputError for another shape, and for models of several inputs.
Imported import_model(const Archive& archive, const Numbers& array);

/// verdict, diagnoses (codes), explanations, parameters and equal_outputs.
nlohmann::ordered_json to_json(const Imported& imported);

/// Whether the verdict is that of a limit.
bool has_limit(const Imported& imported);

}  // namespace nngpcheck::importer
