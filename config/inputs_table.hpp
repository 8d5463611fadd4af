// Private to config/: the [inputs] table of an experiment.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "nngpcheck/config/table_reader.hpp"
#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::config {

/// Inputs, and how they were read.
struct InputsRead {
  inputs::Inputs inputs;
  std::string said;   // in words, for people
  std::string doubt;  // what was assumed without being sure, and what to write instead; or empty
};

/// The inputs that the table (see read_experiments) describes for an architecture that reads "vectors",
/// "sequences", "grids" or a "graph" (empty: anything); `resolved` becomes the table with its defaults filled
/// in, and with the numbers of columns and dimensions. Throws InputError for whatever does not fit.
InputsRead read_inputs_table(const TableReader& table, nlohmann::ordered_json& resolved,
                             const std::string& reads = "");

}  // namespace nngpcheck::config
